"""An exported model: usable without cilsim, checked when it is read, never written over."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from cilsim.deploy.model_folder import read_model, write_model
from cilsim.deploy.opening import open_model
from cilsim.deploy.prediction import scores_of
from cilsim.deploy.revival import model_state, revived
from cilsim.errors import CheckpointError, CilsimError, RunFolderError
from cilsim.plugins import discover

FILES = {
    *("SHA256SUMS", "classifier.safetensors", "load_plain.py", "model.json", "network.py"),
    *("network.safetensors", "scenario.yaml", "state.safetensors"),
}
ALONE = """
import sys
sys.modules["cilsim"] = None  # importing it fails
import torch
sys.path.insert(0, sys.argv[1])
import load_plain
model = load_plain.load(sys.argv[1])
images = torch.stack([model.read(path) for path in sys.argv[2:]])
print([model.classes, model.scores(images).tolist()])
"""


def exported(digits: Any, strategy: str, folder: Path) -> Path:
    plugins = discover()
    model = open_model(digits.run_of(strategy), plugins)
    with revived(model, plugins) as back:
        write_model(folder, model, back)
    return folder


@pytest.fixture(scope="session")
def nmc(digits: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return exported(digits, "nmc", tmp_path_factory.mktemp("export") / "nmc")


@pytest.fixture(scope="session")
def ranpac(digits: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return exported(digits, "ranpac", tmp_path_factory.mktemp("export") / "ranpac")


@pytest.mark.parametrize("strategy", ["nmc", "ranpac"])
def test_the_files_predict_alike_where_cilsim_cannot_be_imported(
    strategy: str, request: pytest.FixtureRequest, digits: Any
) -> None:
    folder = request.getfixturevalue(strategy)
    files = [digits.training_images(f"digit {label}")[0] for label in range(6)]
    done = subprocess.run(
        [sys.executable, "-c", ALONE, str(folder), *map(str, files)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert done.stderr == ""
    classes, scores_NK = json.loads(done.stdout.replace("'", '"'))
    plugins = discover()
    model = open_model(digits.run_of(strategy), plugins)
    from cilsim.deploy.image_files import read_images

    with revived(model, plugins) as back:
        own_NK = scores_of(back.run, read_images(files, model.input).x, model.input)
    assert classes == [f"digit {label}" for label in range(6)]
    np.testing.assert_allclose(scores_NK, own_NK.numpy(), rtol=0, atol=1e-6)


def test_the_folder_holds_plain_files_with_checksums(nmc: Path) -> None:
    assert {path.name for path in nmc.iterdir()} == FILES
    done = subprocess.run(["sha256sum", "-c", "--quiet", "SHA256SUMS"], cwd=nmc, check=False)
    assert done.returncode == 0


def test_model_json_says_what_a_reader_needs(nmc: Path) -> None:
    about = json.loads((nmc / "model.json").read_text())
    assert [one["name"] for one in about["classes"]] == [f"digit {label}" for label in range(6)]
    assert about["classifier"] == {
        "kind": "cosine", "settings": {}, "shapes": {"prototypes": [6, 24]},
    }  # fmt: skip
    assert about["strategy"]["name"] == "nmc"
    assert about["backbone"]["name"] == "small"
    assert {key: about["input"][key] for key in ("kind", "side", "channels", "crop")} == {
        "kind": "images", "side": 16, "channels": 3, "crop": None,
    }  # fmt: skip
    assert [len(about["input"][key]) for key in ("mean", "std")] == [3, 3]


def test_a_model_that_is_read_has_the_state_of_its_run(ranpac: Path, digits: Any) -> None:
    plugins = discover()
    model, run = read_model(ranpac), open_model(digits.run_of("ranpac"), plugins)
    states = []
    for one in (model, run):
        with revived(one, plugins) as back:
            states.append(model_state(back.run))
    assert flat(states[0]).keys() == flat(states[1]).keys()
    for place, tensor in flat(states[0]).items():
        assert torch.equal(tensor, flat(states[1])[place]), place
    assert (model.stream, model.input) == (run.stream, run.input)


def flat(state: Any, place: str = "") -> dict[str, torch.Tensor]:
    """Return the tensors of a nested state by their place."""
    if isinstance(state, torch.Tensor):
        return {place: state}
    inside = state.items() if isinstance(state, dict) else ()
    return {
        name: tensor
        for key, value in inside
        for name, tensor in flat(value, f"{place}/{key}").items()
    }


def test_a_model_exports_again_to_the_same_bytes(nmc: Path, tmp_path: Path) -> None:
    plugins, again = discover(), tmp_path / "again"
    model = read_model(nmc)
    with revived(model, plugins) as back:
        write_model(again, model, back)
    for name in FILES:
        assert (again / name).read_bytes() == (nmc / name).read_bytes(), name


def test_a_folder_that_exists_is_not_written_over(digits: Any, tmp_path: Path) -> None:
    with pytest.raises(RunFolderError) as caught:
        exported(digits, "nmc", tmp_path)
    assert str(caught.value) == f"{tmp_path}: exists already - choose another place with --out"


def test_strategies_without_a_description_leave_no_folder(
    digits: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from cilsim_nmc.strategy import Nmc

    monkeypatch.setattr(Nmc, "plain_classifier", lambda self: None)
    with pytest.raises(CilsimError) as caught:
        exported(digits, "nmc", tmp_path / "new")
    assert str(caught.value) == (
        f"{digits.run_of('nmc')}: strategy 'nmc' computes scores that no plain file describes - "
        "expected a strategy with plain_classifier(); 'cilsim predict' works on the run itself"
    )
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    "name", ["model.json", "network.safetensors", "state.safetensors", "scenario.yaml"]
)
def test_damage_is_named(name: str, nmc: Path, tmp_path: Path) -> None:
    import shutil

    copy = shutil.copytree(nmc, tmp_path / "copy")
    content = bytearray((copy / name).read_bytes())
    content[-3] ^= 1
    (copy / name).write_bytes(content)
    with pytest.raises(CheckpointError) as caught:
        read_model(copy)
    assert str(caught.value) == (
        f"{copy / name}: is damaged: its checksum does not match the one in SHA256SUMS"
    )


def test_weights_that_were_changed_are_refused_by_the_plain_loader(
    nmc: Path, tmp_path: Path
) -> None:
    import shutil

    from cilsim.deploy import load_plain

    copy = shutil.copytree(nmc, tmp_path / "copy")
    path = copy / "network.safetensors"
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        load_plain.load(copy)
    assert str(caught.value) == f"{path}: is not what was exported"


def test_a_missing_file_is_named(nmc: Path, tmp_path: Path) -> None:
    import shutil

    copy = shutil.copytree(nmc, tmp_path / "copy")
    (copy / "state.safetensors").unlink()
    with pytest.raises(CheckpointError) as caught:
        read_model(copy)
    assert str(caught.value) == (
        f"{copy / 'state.safetensors'}: is missing, though listed in SHA256SUMS"
    )


def test_an_exported_model_has_one_state(nmc: Path) -> None:
    with pytest.raises(RunFolderError) as caught:
        open_model(nmc, discover(), after=1)
    assert str(caught.value) == (
        f"{nmc}: is an exported model, which has one state - leave --after out, or name a run"
    )
