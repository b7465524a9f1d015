"""`cilsim export`, `predict` and `extend` as a user gives them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cilsim.cli.main import main

Command = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="session")
def five(digits: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The model of nmc before the last class came."""
    out = tmp_path_factory.mktemp("five") / "model"
    assert main(["export", str(digits.run_of("nmc")), "--after", "1", "--out", str(out)]) == 0
    return out


def test_export_prints_the_folder(digits: Any, cli: Command, tmp_path: Path) -> None:
    out = tmp_path / "model"
    assert cli("export", digits.run_of("teen"), "--out", out) == (0, f"{out}\n", "")


def test_predict_prints_file_class_and_score(five: Path, digits: Any, cli: Command) -> None:
    files = [digits.training_images(f"digit {label}")[0] for label in (0, 1)]
    code, out, err = cli("predict", five, *files, "--top", 2)
    rows = [line.split("\t") for line in out.splitlines()]
    assert (code, err, [row[0] for row in rows]) == (0, "", [str(file) for file in files])
    assert [row[1] for row in rows] == ["digit 0", "digit 1"]
    assert all(float(row[2]) >= float(row[4]) for row in rows)


def test_predict_takes_a_run_and_folders_and_answers_in_json(digits: Any, cli: Command) -> None:
    folder = digits.folder / "images" / "digit 4"
    code, out, _ = cli("predict", digits.run_of("pass"), folder, "--json")
    document = json.loads(out)
    assert code == 0
    assert [one["file"] for one in document] == [str(path) for path in sorted(folder.iterdir())]
    assert {len(one["classes"]) for one in document} == {1}
    assert set(document[0]["classes"][0]) == {"class", "score"}


def test_predict_names_broken_images_and_ends_with_one(
    five: Path, digits: Any, cli: Command, tmp_path: Path
) -> None:
    broken, good = tmp_path / "broken.png", digits.training_images("digit 0")[0]
    broken.write_bytes(b"no image")
    code, out, err = cli("predict", five, broken, good)
    assert (code, out.split("\t")[:2]) == (1, [str(good), "digit 0"])
    assert err == f"error: {broken}: is left out: not BMP, JPEG, PNG or WEBP\n"


def test_extend_adds_a_class_and_leaves_the_old_model(
    five: Path, digits: Any, cli: Command, tmp_path: Path
) -> None:
    before = {path.name: path.read_bytes() for path in five.iterdir()}
    out, images = tmp_path / "six", digits.training_images("digit 5")
    told = cli("extend", five, "--class", "five", *images[:10], "--out", out, "--json")
    assert told[0] == 0
    assert json.loads(told[1])["classes"][5] == "five"
    assert {path.name: path.read_bytes() for path in five.iterdir()} == before
    code, said, _ = cli("predict", out, *images[10:])
    found = [line.split("\t")[1] for line in said.splitlines()]
    assert (code, found.count("five") > len(found) / 2) == (0, True)


def test_an_extended_model_can_be_extended_again(
    five: Path, digits: Any, cli: Command, tmp_path: Path
) -> None:
    first, second = tmp_path / "six", tmp_path / "seven"
    images = digits.training_images("digit 5")
    assert cli("extend", five, "--class", "a", *images[:5], "--out", first)[0] == 0
    assert cli("extend", first, "--class", "b", *images[5:9], "--out", second)[0] == 0
    names = [one["name"] for one in json.loads((second / "model.json").read_text())["classes"]]
    assert names[5:] == ["a", "b"]


def test_extend_refuses_an_image_that_is_none(five: Path, cli: Command, tmp_path: Path) -> None:
    missing = tmp_path / "missing.png"
    assert cli("extend", five, "--class", "x", missing, "--out", tmp_path / "new") == (
        2,
        "",
        f"error: {missing}: cannot be learnt: no such file - leave it out, or replace it\n",
    )


@pytest.fixture
def vectors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run of slda on feature vectors, in the current folder."""
    generator = np.random.default_rng(0)
    labels = np.repeat(np.arange(4), 12)
    x = (generator.normal(size=(4, 5))[labels] * 4 + generator.normal(size=(48, 5))).astype("f4")
    np.savez(tmp_path / "few.npz", x_train=x, y_train=labels, x_test=x, y_test=labels)
    (tmp_path / "few.yaml").write_text(
        "schema: 1\nstream: {kind: class_incremental, increment: 2,"
        " dataset: {name: arrays, path: few.npz}}\nbackbone: identity\nstrategy: slda\n"
    )
    monkeypatch.chdir(tmp_path)
    assert main(["run", "few.yaml", "--no-tensorboard", "--device", "cpu", "-q"]) == 0
    return Path("runs/few")


def test_a_model_of_vectors_is_exported_and_takes_no_images(vectors: Path, cli: Command) -> None:
    import torch

    from cilsim.deploy import load_plain

    assert cli("export", vectors, "--out", "model")[0] == 0
    with np.load("few.npz") as arrays:
        x, y = torch.from_numpy(arrays["x_test"]), arrays["y_test"]
    predicted = load_plain.load("model").scores(x).argmax(1)
    assert float((predicted.numpy() == y).mean()) > 0.9
    assert cli("predict", "model", "a.png") == (
        2,
        "",
        "error: a.png: the model takes vectors of 5 features - expected .npz files with x\n",
    )
