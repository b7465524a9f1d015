"""Every file of a run and of the cache, damaged in many ways: found, named, and made again."""

from __future__ import annotations

import io
import json
import random
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import chdir, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cilsim.cli.main import main
from cilsim.errors import CilsimError
from cilsim.report.scalar_log import read_scalars
from cilsim.results.cache import ContentStore
from cilsim.results.integrity import check_run
from cilsim.results.manifest import read_manifest
from cilsim.results.run_folder import RunFolder
from cilsim.results.stream_file import read_stream
from cilsim.results.summary import read_summary
from cilsim.results.tensors import load_state, pack_state

SCENARIO = {
    "stream": {
        "kind": "novel_class_discovery",
        "labelled_classes": 3,
        "dataset": {"name": "arrays", "path": "greys.npz"},
    },
    "backbone": "small",
    "strategy": {"name": "kmeans_discovery", "normalise": False},
    "base_training": {"epochs": 2, "lr": 0.01},
    "seeds": [0, 1],
}
SEED = Path("kmeans_discovery", "seed-0")
FLIPS = 40
OF_THE_CLOCK = ("status.json", "SHA256SUMS", "ledger.json", "training_scalars.jsonl", "state.json")
"""What differs between equal runs; reports tell seconds, and event files when they were written."""
LOST_FOR_GOOD = ("experience-00", "scenario.yaml")
"""An older checkpoint that nothing needs is removed; resolved.yaml stands in for the other."""

Harm = Callable[[bytes], bytes | None]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run with trainings, clusters and their pictures, two seeds and a cached base."""
    folder = tmp_path_factory.mktemp("damage")
    y = np.repeat(np.arange(5), 20)
    grey_N = np.array([0, 60, 120, 180, 240], dtype=np.uint8)[y]
    x = np.repeat(grey_N, 64).reshape(-1, 1, 8, 8)
    np.savez(folder / "greys.npz", x_train=x, y_train=y, x_test=x, y_test=y)
    (folder / "greys.yaml").write_text(json.dumps(SCENARIO))
    with pytest.MonkeyPatch.context() as patch, chdir(folder):
        patch.setenv("CILSIM_CACHE", str(folder / "cache"))
        assert quietly("run", "greys.yaml", "--device", "cpu")[0] == 0
    return folder / "runs" / "greys"


@pytest.fixture
def copy(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the run that may be damaged, and the cache it was made with."""
    shutil.copytree(run.parents[1] / "cache", tmp_path / "cache")
    monkeypatch.setenv("CILSIM_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(run.parents[1])
    shutil.copytree(run, tmp_path / "greys")
    return tmp_path / "greys"


def tell(capsys: pytest.CaptureFixture[str], line: str) -> None:
    with capsys.disabled():
        sys.stdout.write(f"{line}\n")


def quietly(*arguments: str | Path) -> tuple[int, str]:
    err = io.StringIO()
    with redirect_stdout(io.StringIO()), redirect_stderr(err):
        code = main([str(argument) for argument in arguments])
    return code, err.getvalue()


def files_of(run: Path) -> list[Path]:
    """Return the files of the run folder and of its first seed."""
    found = (path.relative_to(run) for path in run.rglob("*") if path.is_file())
    return sorted(path for path in found if path.name != ".lock" and "seed-1" not in path.parts)


def harms(content: bytes, generator: random.Random) -> Iterator[Harm]:
    """Yield flips at random places, cuts, nothing left, and no file left."""
    for _ in range(FLIPS if content else 0):
        place, bit = generator.randrange(len(content)), 1 << generator.randrange(8)
        yield (
            lambda good, at=place, bit=bit: (  # type: ignore[misc]
                good[:at] + bytes([good[at] ^ bit]) + good[at + 1 :]
            )
        )
    for _ in range(3 if content else 0):
        length = generator.randrange(len(content))
        yield lambda good, length=length: good[:length]  # type: ignore[misc]
    if content:
        yield lambda good: b""
    yield lambda good: good + b"\n"
    yield lambda good: None


def apply(path: Path, harm: Harm) -> bytes:
    """Damage a file and return what it was."""
    good = path.read_bytes()
    bad = harm(good)
    if bad is None:
        path.unlink()
    else:
        path.write_bytes(bad)
    return good


def refused(value: Any, file: Path) -> bool:
    """Return whether a reader did not use a damaged file, and said so."""
    if file.name == "SHA256SUMS":  # the file whose line is lost is named
        return isinstance(value, CilsimError)
    if file.name == "status.json" and not file.exists():
        return value is None
    return isinstance(value, CilsimError) and str(file) in str(value)


def tensors_in(folder: Path) -> dict[str, bytes]:
    tensors, _ = pack_state(load_state(folder)[0])
    return {name: tensor.numpy().tobytes() for name, tensor in tensors.items()}


def everything_read(run: Path) -> dict[str, Any]:
    """Return what every reader makes of a run: its value, or the error that it raises."""
    folder = RunFolder(run)
    seed = folder.seed_folder(SEED.parent.name, 0)
    states = run / SEED / "checkpoints"
    readers: dict[str, Callable[[], Any]] = {
        "scenario": lambda: folder.scenario_text,
        "resolved": lambda: folder.resolved_text,
        "manifest": lambda: read_manifest(run),
        "status": folder.status.read,
        "summary": lambda: read_summary(folder),
        "stream": lambda: read_stream(seed.path),
        "metrics": seed.read_metrics,
        "matrix": lambda: str(seed.read_accuracy_matrix()),
        "ledger": seed.read_ledger,
        "history": lambda: [
            (part.index.tolist(), part.label.tolist(), part.predicted.tolist())
            for one in seed.read_history()
            for part in (one.test, one.unlabelled)
            if part is not None
        ],
        "state 0": lambda: tensors_in(states / "experience-00"),
        "state 1": lambda: tensors_in(states / "experience-01"),
    }
    found = {}
    for name, read in readers.items():
        try:
            found[name] = read()
        except CilsimError as error:
            found[name] = error
    return found


@pytest.mark.slow
def test_a_thousand_damages_are_found_and_named_and_never_read(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copied = Path(shutil.copytree(run, tmp_path / "greys"))
    generator = random.Random(6)
    good = everything_read(copied)
    cases = 0
    for file in files_of(copied):
        for harm in harms((copied / file).read_bytes(), generator):
            before = apply(copied / file, harm)
            named = [finding.file for finding in check_run(RunFolder(copied)) if finding.harm]
            assert file.as_posix() in named, (file, cases)
            for name, value in everything_read(copied).items():
                assert value == good[name] or refused(value, copied / file), (file, name)
            (copied / file).write_bytes(before)
            cases += 1
    assert [one for one in check_run(RunFolder(copied)) if one.state != "intact"] == []
    tell(capsys, f"{cases} damages of a run folder, all found")
    assert cases >= 1000


def test_a_damaged_log_is_never_read_as_something_else(run: Path, tmp_path: Path) -> None:
    copied = Path(shutil.copytree(run / SEED, tmp_path / "seed-0"))
    good = read_scalars(copied)
    assert len(good) == 2
    path = copied / "training_scalars.jsonl"
    for harm in harms(path.read_bytes(), random.Random(8)):
        before = apply(path, harm)
        assert all(scalars in good for scalars in read_scalars(copied))
        path.write_bytes(before)


def test_damages_of_the_cache_are_found_and_named_and_never_read(
    copy: Path, caplog: pytest.LogCaptureFixture
) -> None:
    root = copy.parent / "cache" / "store"
    generator = random.Random(7)
    cases = 0
    for entry in ContentStore(root).entries():
        folder = root / entry.kind / entry.key
        kept = Path(shutil.copytree(folder, copy.parent / "kept" / entry.key))
        for path in sorted(kept.iterdir()):
            for harm in harms(path.read_bytes(), generator):
                apply(folder / path.name, harm)
                caplog.clear()
                assert ContentStore(root).read(entry.kind, entry.key, load_state) is None
                assert not folder.exists()
                [message] = caplog.messages
                assert message.startswith(f"{folder / path.name}: ")
                shutil.copytree(kept, folder)
                cases += 1
    assert cases >= 300


def rebuilt(run: Path, copy: Path, file: Path, harm: Harm) -> None:
    """Damage one file, resume, and compare what was made again."""
    apply(copy / file, harm)
    code, err = quietly("resume", copy)
    assert code == 0, (file, err)
    assert file.as_posix() in err, (file, err)
    assert [one for one in check_run(RunFolder(copy)) if one.state != "intact"] == []
    assert results_of(copy, file) == results_of(run, file)


def results_of(run: Path, file: Path) -> dict[Path, bytes]:
    """Return the files that are equal between equal runs, without what cannot be made again."""
    lost = [part for part in LOST_FOR_GOOD if part in str(file)]
    return {
        path.relative_to(run): path.read_bytes()
        for path in run.rglob("*")
        if path.is_file()
        and path.name not in (".lock", *OF_THE_CLOCK)
        and not path.name.startswith(("report.", "events."))
        and not any(part in str(path.relative_to(run)) for part in lost)
    }


@pytest.mark.parametrize(
    "file",
    [
        SEED / "metrics.jsonl",
        SEED / "predictions" / "experience-00.npz",
        SEED / "pictures" / "clusters-01.png",
        SEED / "checkpoints" / "experience-01" / "tensors.safetensors",
        Path("resolved.yaml"),
    ],
    ids=str,
)
def test_a_finished_run_with_a_damaged_file_is_made_whole(
    run: Path, copy: Path, file: Path
) -> None:
    rebuilt(run, copy, file, lambda good: good[:-1] + bytes([good[-1] ^ 1]))


def test_a_finished_run_that_is_whole_is_left_alone(copy: Path) -> None:
    def state() -> dict[Path, tuple[int, bytes]]:
        files = (path for path in copy.rglob("*") if path.is_file())
        return {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in files}

    before = state()
    assert quietly("resume", copy) == (0, f"{copy}: finished already, nothing to do\n")
    assert state() == before


@pytest.mark.slow
def test_every_file_of_a_finished_run_is_made_again(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CILSIM_CACHE", str(run.parents[1] / "cache"))
    monkeypatch.chdir(run.parents[1])
    generator = random.Random(9)
    cases = 0
    for file in files_of(run):
        if file.name == "SHA256SUMS" and len(file.parts) == 1:
            continue  # without it the command that started the run has to be given again
        *_, cut, _, _, remove = harms((run / file).read_bytes() or b"x", generator)
        for harm in (cut, remove):
            copied = Path(shutil.copytree(run, tmp_path / str(cases) / "greys"))
            rebuilt(run, copied, file, harm)
            shutil.rmtree(copied)
            cases += 1
    tell(capsys, f"{cases} damages of a finished run, all made whole")


def test_without_the_list_of_the_run_folder_the_first_command_is_asked_for(
    run: Path, copy: Path
) -> None:
    (copy / "SHA256SUMS").unlink()
    code, err = quietly("resume", copy, "-q")
    assert (code, err.splitlines()[-1]) == (
        2,
        f"error: {copy}/scenario.yaml: cannot be checked: SHA256SUMS does not list it; "
        "give the command again that started the run",
    )
    code, err = quietly("run", "greys.yaml", "--out", copy.parent, "--device", "cpu")
    assert code == 0, err
    assert [one for one in check_run(RunFolder(copy)) if one.state != "intact"] == []
    assert results_of(copy, Path("none")) == results_of(run, Path("none"))
