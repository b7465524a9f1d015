"""`cilsim advise` as a user gives it."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from PIL import Image

from cilsim.advice.budget import Budget
from cilsim.cli.main import main

Command = Callable[..., tuple[int, str, str]]
QUICK = ("--device", "cpu", "--seeds", "0,1", "-q")
ONE_SEED = ("--device", "cpu", "--seeds", "0", "-q")


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str]) -> Command:
    """Runs a command in this process and returns exit code, stdout and stderr."""

    def run(*arguments: str | Path) -> tuple[int, str, str]:
        capsys.readouterr()
        code = main([str(argument) for argument in arguments])
        return code, *capsys.readouterr()

    return run


@pytest.fixture
def stripes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Four classes of striped images, ten of each but the last, in the current folder."""
    generator = np.random.default_rng(0)
    for label, count in enumerate((26, 26, 26, 6)):
        folder = tmp_path / "stripes" / f"every {label + 1}"
        folder.mkdir(parents=True)
        for number in range(count):
            pixels = generator.integers(0, 60, (16, 16), dtype=np.uint8)
            pixels[:: label + 1] += 150
            Image.fromarray(pixels).save(folder / f"{number}.png")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("cilsim.advice.ladder.BASE_STEPS", 4)
    monkeypatch.setattr("cilsim.advice.ladder.FEWEST_EPOCHS", 2)
    return Path("stripes")


def test_a_folder_is_ranked_and_the_best_is_recommended(stripes: Path, cli: Command) -> None:
    code, out, _ = cli("advise", stripes, "--strategies", "ncm,icarl", "--json", *QUICK)
    found: dict[str, Any] = json.loads(out)
    assert code == 0
    assert found["data"]["train"] == [21, 21, 21, 5]
    assert found["stream"]["kind"] == "few_shot_class_incremental"
    assert {one["strategy"] for one in found["strategies"]} == {"nmc", "icarl"}
    assert {one["interval"]["n"] for one in found["strategies"]} == {2}
    assert (found["failures"], found["not_tried"]) == ([], [])
    text = Path(found["scenario"]).read_text()
    (best,) = [one["strategy"] for one in found["strategies"] if one["verdict"] == "best"]
    assert best == found["strategies"][0]["strategy"]
    assert text.startswith(f"# Recommended by `cilsim advise`: {best} has A_hm ")
    assert yaml.safe_load(text)["strategies"] == [best]
    assert cli("check", found["scenario"])[0] == 0


def test_the_same_command_reuses_what_was_run(stripes: Path, cli: Command) -> None:
    command = ("advise", stripes, "--strategies", "nmc", "--stream", "class-incremental", *QUICK)
    assert cli(*command)[0] == 0
    before = {path: path.stat().st_mtime_ns for path in Path("runs").rglob("metrics.jsonl")}
    assert len(before) == 3  # two seeds, and the first look
    assert cli(*command) == (0, "advise-stripes-recommended.yaml\n", "")
    assert {path: path.stat().st_mtime_ns for path in Path("runs").rglob("metrics.jsonl")} == before


def test_other_wishes_are_other_runs(stripes: Path, cli: Command) -> None:
    command = ("advise", stripes, "--strategies", "nmc", *QUICK)
    assert [cli(*command)[0], cli(*command, "--image-size", 32)[0]] == [0, 0]
    assert len(list(Path("runs").glob("advise-stripes-features-*"))) == 2


def test_a_budget_that_is_over_says_what_was_not_tried(
    stripes: Path, cli: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = iter([math.inf, math.inf, 60.0, 60.0, 60.0, 0.0])  # the first look has all the time
    monkeypatch.setattr(Budget, "left", property(lambda self: next(left)))
    code, _, err = cli(
        "advise", stripes, "--strategies", "nmc,slda,icarl,pass", "--seeds", "0", "--device", "cpu"
    )
    assert code == 0
    (best,) = yaml.safe_load(Path("advise-stripes-recommended.yaml").read_text())["strategies"]
    assert err.splitlines()[-3:] == [
        "too few seeds: not compared; more time or more seeds tell more",
        "not tried for lack of time: icarl, pass",
        f"recommended: {best}, cilsim run advise-stripes-recommended.yaml",
    ]


@contextmanager
def over_at_once(self: Budget, ask: Callable[[], None]) -> Iterator[None]:
    """Stand in for `Budget.stopping`: the time is up as soon as a run of the ladder has begun."""
    if not math.isinf(self.left):
        self.spent = True
        ask()
    yield


def test_a_run_in_the_way_of_the_budget_stops_and_goes_on_later(
    stripes: Path, cli: Command
) -> None:
    command = ("advise", stripes, "--strategies", "icarl", *QUICK)  # there is no first look at it
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Budget, "stopping", over_at_once)
        code, out, err = cli(*command)
    assert (code, out) == (1, "")
    (status,) = Path("runs").glob("*/status.json")
    assert json.loads(status.read_text())["state"] == "interrupted"
    assert err == (
        "error: --budget: it ended before a run was finished - give the same command again to go "
        "on, or a larger budget\n"
    )
    assert cli(*command)[0] == 0


def test_a_budget_without_room_for_a_training_ranks_by_the_first_look(
    stripes: Path, cli: Command
) -> None:
    command = ("advise", stripes, "--strategies", "nmc,slda,icarl", "--device", "cpu")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Budget, "stopping", over_at_once)
        code, out, err = cli(*command)
    assert (code, out) == (0, "advise-stripes-recommended.yaml\n")
    (best,) = yaml.safe_load(Path(out.strip()).read_text())["strategies"]
    first = Path(out.strip()).read_text().partition("\n")[0]
    assert first.startswith(f"# Recommended by `cilsim advise`: {best} has A_hm ")
    assert " over 1 seed on a network that is not trained, " in first
    lines = [line for line in err.splitlines() if "decoding" not in line]
    assert lines[2] == "first look, on a network that is not trained: nmc, slda"
    assert lines[3].startswith(f"A_hm in %, seed 0: {best} ")
    assert lines[-4:] == [
        "ranked by the first look, on a network that is not trained: the budget ended before",
        "a run with a trained network did; the same command goes on where it stopped",
        "not tried with a trained network: nmc, slda, icarl",
        f"recommended: {best}, cilsim run advise-stripes-recommended.yaml",
    ]


def test_a_ranking_says_whether_a_network_was_trained(stripes: Path, cli: Command) -> None:
    command = ("advise", stripes, "--strategies", "nmc", "--json", *ONE_SEED)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Budget, "stopping", over_at_once)
        assert json.loads(cli(*command)[1])["trained"] is False
    assert json.loads(cli(*command)[1])["trained"] is True


def test_data_sets_have_names(cli: Command, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli("advise", "digit") == (
        2,
        "",
        "error: 'digit': there is no such file, folder or data set; did you mean 'digits'?\n",
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            ["--budget", "soon"],
            "--budget: found 'soon', expected a time such as '90s', '30m' or '1.5h'",
        ),
        (
            ["--strategies", "nmcc"],
            "--strategies: no strategy is named 'nmcc'; did you mean 'nmc'?",
        ),
        (
            ["--backbone", "smal"],
            "--backbone: no backbone is named 'smal'; did you mean 'small'?",
        ),
        (
            ["--weights", "w.pt"],
            "--weights: expected --backbone NAME, the network that they are for",
        ),
        (
            ["--out", "mine.yaml"],
            "--out mine.yaml: exists and was not written by 'cilsim advise' - choose another name",
        ),
        (
            ["--out", "mine.yaml/a.yaml"],
            "--out mine.yaml/a.yaml: cannot be written: Not a directory - choose another place",
        ),
        (
            ["--runs", "mine.yaml"],
            "--runs mine.yaml: cannot be written: Not a directory - choose another place",
        ),
    ],
    ids=["budget", "strategy", "backbone", "weights", "out", "out in a file", "runs"],
)
def test_options_that_make_no_sense_are_refused(
    options: list[str], message: str, stripes: Path, cli: Command
) -> None:
    Path("mine.yaml").write_text("schema: 1\n")
    assert cli("advise", stripes, *options) == (2, "", f"error: {message}\n")


def test_broken_images_are_refused_or_skipped(stripes: Path, cli: Command) -> None:
    (stripes / "every 1" / "broken.png").write_bytes(b"no image")
    command = ("advise", stripes, "--strategies", "nmc", *QUICK)
    assert cli(*command)[0] == 2
    code, out, _ = cli(*command, "--skip-bad-images", "--json")
    found = json.loads(out)["data"]
    sums = [sum(counts) for counts in zip(found["train"], found["test"], strict=True)]
    assert (code, sums) == (0, [26, 26, 26, 6])


def test_a_folder_without_images_is_refused(cli: Command, tmp_path: Path) -> None:
    assert cli("advise", tmp_path) == (
        2,
        "",
        f"error: image folder '{tmp_path}': there are no class folders - expected "
        "<class>/<image>, or train/<class>/<image> and test/<class>/<image>\n",
    )


def test_a_folder_of_unreadable_images_is_refused(cli: Command, tmp_path: Path) -> None:
    for name in ("a/1.png", "a/2.png", "b/1.png", "b/2.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"no image")
    assert cli("advise", tmp_path) == (
        2,
        "",
        f"error: '{tmp_path}': none of the first 64 images is readable - look at them, or say how "
        "large they are by --image-size\n",
    )


def test_an_image_list_keeps_its_split_and_its_order(stripes: Path, cli: Command) -> None:
    rows = ["path,label,split,order"]
    for order, label in enumerate((3, 1, 2)):
        rows += [f"stripes/every {label}/{n}.png,stripe {label},train,{order}" for n in range(20)]
        rows += [f"stripes/every {label}/{n}.png,stripe {label},test," for n in range(20, 24)]
    Path("list.csv").write_text("\n".join(rows))
    code, out, _ = cli("advise", "list.csv", "--strategies", "nmc", "--json", *ONE_SEED)
    found: dict[str, Any] = json.loads(out)
    assert code == 0
    assert found["data"]["class_names"] == ["stripe 3", "stripe 1", "stripe 2"]
    assert (found["data"]["train"], found["data"]["test"]) == ([20, 20, 20], [4, 4, 4])
    assert (found["data"]["side"], found["scenario"]) == (16, "advise-list-recommended.yaml")
    scenario = yaml.safe_load(Path(found["scenario"]).read_text())
    path = str(Path("list.csv").resolve())
    assert scenario["stream"]["dataset"] == {"name": "image_folder", "path": path, "image_size": 16}
    assert scenario["class_order"] == {"list": [0, 1, 2]}


@pytest.fixture
def table(stripes: Path) -> Path:
    """Three classes of two columns, in the current folder."""
    rows = [f"{row % 3 + row / 100};{'xyz'[row % 3]};{'abc'[row % 3]}" for row in range(90)]
    path = Path("my table.csv")
    path.write_text("\n".join(["size;kind;out come", *rows]))
    return path


def test_a_table_is_ranked_with_its_options(table: Path, cli: Command) -> None:
    code, out, _ = cli(
        "advise", table, "--set", "label=out come", "--strategies", "nmc,pass", *ONE_SEED
    )
    assert (code, out) == (1, "advise-my-table-recommended.yaml\n")  # pass wants images
    scenario = yaml.safe_load(Path("advise-my-table-recommended.yaml").read_text())
    dataset = {"name": "tabular", "path": str(table.resolve()), "label": "out come"}
    assert (scenario["stream"]["dataset"], scenario["backbone"]) == (dataset, "mlp")
    assert cli("check", "advise-my-table-recommended.yaml")[0] == 0


def test_arrays_are_ranked(table: Path, cli: Command) -> None:
    labels = np.arange(60) % 3
    features = np.eye(8, dtype=np.float32)[labels]
    np.savez("a.npz", x_train=features, y_train=labels, x_test=features, y_test=labels)
    code, out, _ = cli("advise", "a.npz", "--strategies", "nmc", "--json", *ONE_SEED)
    found: dict[str, Any] = json.loads(out)
    assert (code, found["data"]["features"], found["data"]["train"]) == (0, True, [20, 20, 20])


def test_of_a_scenario_its_data_set_is_taken(stripes: Path, cli: Command) -> None:
    Path("mine.yaml").write_text(
        "stream: {kind: class_incremental, dataset: {name: image_folder, path: stripes}, "
        "experiences: 2}\nstrategy: nmc\n"
    )
    command = ("advise", "mine.yaml", "--image-size", 16, "--strategies", "nmc", *ONE_SEED)
    assert cli(*command)[0] == 0
    scenario = yaml.safe_load(Path("advise-mine-recommended.yaml").read_text())
    dataset = {"name": "image_folder", "path": str(stripes.resolve()), "image_size": 16}
    assert scenario["stream"]["dataset"] == dataset


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            [],
            "'my table.csv': data set 'tabular' needs 'label': Column that holds the class - give "
            "it by --set label=...",
        ),
        (
            ["--set", "label=kind", "--image-size", "32"],
            "--set stream.dataset.image_size=32: stream.dataset.image_size: unknown key; known: "
            "categorical, ignore, label, missing, name, path, split, statistics_of, test_fraction",
        ),
    ],
    ids=["label", "image size"],
)
def test_options_that_do_not_fit_the_data_are_refused(
    options: list[str], message: str, table: Path, cli: Command
) -> None:
    assert cli("advise", table, *options) == (2, "", f"error: {message}\n")
