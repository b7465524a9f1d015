"""Whether the files of a run folder are what was written."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Literal, get_args

from cilsim.errors import CheckpointError
from cilsim.results.atomic import is_stale
from cilsim.results.event_records import whole_records
from cilsim.results.lock import LOCK_FILE
from cilsim.results.reading import read_bytes
from cilsim.results.run_folder import RunFolder
from cilsim.results.scalar_lines import parse_scalar_lines
from cilsim.results.sealed_folder import EVENT_FILES, SealedFolder
from cilsim.results.seed_folder import CHECKPOINTS, TRAINING_SCALARS
from cilsim.results.state_file import STATE_FILE, TENSOR_FILE, read_state_file
from cilsim.results.status import Status
from cilsim.results.sums import SUMS, Sums, read_sums
from cilsim.results.tensor_file import verify_tensor_file

State = Literal["intact", "unfinished", "damaged", "missing", "unlisted"]
STATES: tuple[State, ...] = get_args(State)

STATUS = "status.json"
OWN = re.compile(
    r"scenario\.yaml|resolved\.yaml|manifest\.json|summary\.json|report\.(md|html)"
    r"|stream\.json|metrics\.jsonl|accuracy_matrix\.csv|ledger\.json"
    r"|predictions/(unlabelled/)?experience-\d+\.npz|pictures/(clusters-\d+|examples)\.png"
)
"""Files that are never written without being listed."""

STATE = re.compile(r"(experience-|finished-)?\d+")
"""Names of folders with a stored state."""


@dataclass(frozen=True)
class Finding:
    """What became of one file.

    Attributes:
        file: its path within the run folder, with `/`.
        state: `unfinished` if a process died while it wrote it, `unlisted` if somebody else wrote
            it.
        detail: what is wrong with it, or empty.
    """

    file: str
    state: State
    detail: str = ""

    @property
    def harm(self) -> bool:
        """Whether the file has to be rebuilt."""
        return self.state in ("damaged", "missing")


def check_run(run_folder: RunFolder) -> list[Finding]:
    """Return a finding for every file of a run folder, by path."""
    path = run_folder.path
    found = list(_check_folder(path, ""))
    status, finding = _check_status(run_folder)
    found.append(finding)
    for seed_folder in run_folder.list_seed_folders():
        inside = seed_folder.path.relative_to(path).as_posix()
        found += _check_folder(seed_folder.path, f"{inside}/")
        found += _check_states(seed_folder.path / CHECKPOINTS, path)
    for label in status.progress if status is not None else ():
        if not (path / label).is_dir():
            found.append(Finding(label, "missing", "the run had finished experiences"))
    return sorted(found, key=lambda one: one.file)


def _check_status(run_folder: RunFolder) -> tuple[Status | None, Finding]:
    try:
        status = run_folder.status.read()
    except CheckpointError as error:
        return None, Finding(STATUS, "damaged", _detail(error))
    return status, Finding(STATUS, "missing" if status is None else "intact")


def _check_folder(folder: Path, prefix: str) -> Iterator[Finding]:
    """Yield a finding for the list of one folder, for what it lists and for what it does not."""
    sums = _sums(folder)
    if isinstance(sums, Finding):
        yield Finding(prefix + sums.file, sums.state, sums.detail)
        sums = Sums()
    else:
        yield Finding(prefix + SUMS, "intact")
    for name in {*sums.listed, *sums.begins}:
        yield Finding(prefix + name, *_judge(SealedFolder(folder), name))
    for name in _files(folder, below=bool(prefix)):
        if not sums.knows(name):
            yield Finding(prefix + name, *_judge_unlisted(folder, name))


def _sums(folder: Path) -> Sums | Finding:
    try:
        sums = read_sums(folder)
    except CheckpointError as error:
        return Finding(SUMS, "damaged", _detail(error))
    if sums is None:
        return Finding(SUMS, "missing", "nothing in its folder can be checked")
    return Finding(SUMS, "damaged", sums.damage) if sums.damage else sums


def _judge(files: SealedFolder, name: str) -> tuple[State, str]:
    try:
        content, found = files.read(name), read_bytes(files.path / name)
    except CheckpointError as error:
        return ("damaged" if (files.path / name).exists() else "missing"), _detail(error)
    if content is None or found is None:
        return "unfinished", "a process died while it wrote this"
    if name not in files.sums.listed:
        return _judge_unlisted(files.path, name)
    if content != found:
        return "unfinished", f"a process died while it added to the first {len(content)} bytes"
    return "intact", ""


def _judge_unlisted(folder: Path, name: str) -> tuple[State, str]:
    """Return what can be said of a file that no list vouches for as a whole."""
    if is_stale(PurePath(name).name):
        return "unfinished", "left over from a process that died"
    if OWN.fullmatch(name):
        return "damaged", f"{SUMS} does not list it"
    try:
        content = read_bytes(folder / name) or b""
    except CheckpointError as error:
        return "damaged", _detail(error)
    if name == TRAINING_SCALARS:
        lost = parse_scalar_lines(content).count(None)
        return ("damaged", f"{lost} of its lines are not what was written") if lost else _INTACT
    if PurePath(name).match(EVENT_FILES):
        whole = whole_records(content)
        return ("damaged", "a record does not match its checksum") if whole is None else _INTACT
    return "unlisted", ""


_INTACT: tuple[State, str] = ("intact", "")


def _files(folder: Path, *, below: bool) -> Iterator[str]:
    """Yield the files of a folder that a list is about, those of checkpoints left out."""
    for path in folder.rglob("*") if below else folder.glob("*"):
        name = path.relative_to(folder).as_posix()
        ours = path.name in {SUMS, LOCK_FILE, STATUS} or name.startswith(f"{CHECKPOINTS}/")
        if path.is_file() and not ours:
            yield name


def _check_states(checkpoints: Path, root: Path) -> Iterator[Finding]:
    """Yield findings for both files of every stored state."""
    for folder in checkpoints.rglob("*"):
        if STATE.fullmatch(folder.name) is None or not folder.is_dir():
            continue
        name = folder.relative_to(root).as_posix()
        try:
            stored = read_state_file(folder)
        except CheckpointError as error:
            yield Finding(f"{name}/{STATE_FILE}", _lost(folder / STATE_FILE), _detail(error))
            continue
        yield Finding(f"{name}/{STATE_FILE}", "intact")
        try:
            verify_tensor_file(folder / TENSOR_FILE, stored)
        except CheckpointError as error:
            yield Finding(f"{name}/{TENSOR_FILE}", _lost(folder / TENSOR_FILE), _detail(error))
        else:
            yield Finding(f"{name}/{TENSOR_FILE}", "intact")


def _lost(path: Path) -> State:
    return "damaged" if path.exists() else "missing"


def _detail(error: CheckpointError) -> str:
    """Return what an error says after the path."""
    return str(error).partition(": ")[2].removeprefix("is damaged: ")
