"""Finding the model of a run, or saying why there is none."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from cilsim.deploy.from_run import model_of_run
from cilsim.deploy.opening import open_model
from cilsim.errors import CheckpointError, CilsimError, DataError, RunFolderError
from cilsim.plugins import discover


def complaint(path: Path, **options: Any) -> tuple[type[CilsimError], str]:
    with pytest.raises(CilsimError) as caught:
        open_model(path, discover(), **options)
    return type(caught.value), str(caught.value)


def test_a_model_knows_stream_input_and_seed(digits: Any) -> None:
    model = model_of_run(digits.run_of("nmc"), discover(), after=1)
    assert model.stream.class_names == tuple(f"digit {label}" for label in range(5))
    assert [one.seen for one in model.stream.experiences] == [3, 5]
    assert (model.input.shape, model.input.crop, model.seed) == ((3, 16, 16), None, 0)
    assert model.own_weights


def test_a_run_folder_with_one_run_is_enough(digits: Any) -> None:
    assert model_of_run(digits.runs / "nmc", discover()).where == str(digits.run_of("nmc"))


def test_several_runs_are_named(digits: Any) -> None:
    runs = ", ".join(
        str(digits.run_of(name)) for name in ("cosine-ranpac", "euclidean", "fecam", "fecam-common")
    )
    assert complaint(digits.runs) == (
        RunFolderError,
        f"{digits.runs}: holds 21 runs - choose one of {runs} and 17 more",
    )


def test_a_state_that_is_not_kept_is_named(digits: Any) -> None:
    run = digits.run_of("nmc")
    assert complaint(run, after=7) == (
        CheckpointError,
        f"{run}: no state after experience 7 is stored - a run keeps as many as "
        "'checkpoints: {keep: N}' in its scenario says, the newest ones",
    )


def test_what_is_neither_run_nor_model_is_refused(tmp_path: Path) -> None:
    assert complaint(tmp_path) == (
        RunFolderError,
        f"{tmp_path}: is no run folder, it has no resolved.yaml",
    )


def test_other_images_than_those_of_the_run_are_refused(digits: Any) -> None:
    lost = digits.folder / "images" / "digit 0" / "000.png"
    content = lost.read_bytes()
    lost.unlink()
    try:
        kind, text = complaint(digits.run_of("nmc"))
    finally:
        lost.write_bytes(content)
    digests = re.findall(r"\b[0-9a-f]{12}\b", text)
    assert (kind, len(set(digests))) == (DataError, 2)
    assert text == (
        f"data set 'image_folder': has digest {digests[0]}, {digits.runs} was run with "
        f"{digests[1]} - expected the same data, of which images are read alike"
    )


def test_clusters_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from cilsim.deploy import from_run
    from cilsim.records import ExperienceInfo, StreamInfo

    stage = ExperienceInfo(0, "base", (0, 1), 2, labelled=4, unlabelled=3, test=2)
    groups, kind = ("old", "new"), "novel_class_discovery"
    found = StreamInfo(kind, "digits", "", (stage,), (0, 1), ("a", "b"), groups, "0")
    run = tmp_path / "nmc" / "seed-0"
    run.mkdir(parents=True)
    (tmp_path / "resolved.yaml").write_text("")
    monkeypatch.setattr(from_run, "read_stream", lambda path: found)
    assert complaint(tmp_path) == (
        RunFolderError,
        f"{run}: stream 'novel_class_discovery' gives clusters, which have no names - expected a "
        "stream whose classes all come with labels",
    )


def test_a_run_without_an_experience_is_refused(tmp_path: Path) -> None:
    run = tmp_path / "nmc" / "seed-0"
    run.mkdir(parents=True)
    (tmp_path / "resolved.yaml").write_text("")
    assert complaint(tmp_path) == (
        RunFolderError,
        f"{run}: no experience is finished; go on with: cilsim resume {tmp_path}",
    )
