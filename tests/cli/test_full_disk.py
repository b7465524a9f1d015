"""A disk that fills up at any moment: one line, readable results, and the same run afterwards."""

from __future__ import annotations

import builtins
import errno
import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

Command = Callable[..., Any]

OPTIONS = ("--device", "cpu", "-q", "--seeds", "0", "--strategies", "nmc", "--no-cache")
FULL = re.compile(
    r"error: (?P<file>\S+): cannot be written: No space left on device, \d+ kB are free there"
    r"(; choose another place with --out|(?P<next>; once that is mended, go on with: "
    r"cilsim resume \S+))?\n"
)
EQUAL = ("metrics.jsonl", "accuracy_matrix.csv", "predictions/experience-02.npz")
"""Files that are byte-equal between equal runs; what came before them is checked by their sums."""


@pytest.fixture
def whole(finished: tuple[Path, Any], tiny: Path) -> dict[str, bytes]:
    """The files of a run that nothing disturbed; the current folder holds its scenario."""
    return stored(finished[0] / "runs")


def stored(out: Path) -> dict[str, bytes]:
    return {name: (out / "tiny" / "nmc" / "seed-0" / name).read_bytes() for name in EQUAL}


def check_failure(outcome: Any, out: Path) -> None:
    """Demand one line that names a file in `out`, and files that can be read."""
    found = FULL.fullmatch(outcome.err)
    assert found is not None, outcome.err
    assert found["file"].startswith(str(out))
    assert outcome.code == (1 if found["next"] else 2)  # 2: nothing has run
    for path in out.rglob("metrics.jsonl"):
        assert all("value" in json.loads(line) for line in path.read_text().splitlines())


@contextmanager
def small_disk(folder: Path, kilobytes: int) -> Iterator[Callable[[], None]]:
    """Mount a disk of that size; what is yielded gives it room."""
    folder.mkdir()
    options = f"size={kilobytes}k"
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip("no file system may be mounted here")
    try:
        larger = ["mount", "-o", "remount,size=64m", str(folder)]
        yield lambda: subprocess.run(larger, check=True) and None
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.mark.parametrize(
    "kilobytes",
    [
        pytest.param(size, marks=() if size % 56 == 4 else pytest.mark.slow)
        for size in range(4, 196, 8)
    ],
)
def test_a_disk_of_any_size_gives_one_line_and_the_same_run_once_there_is_room(
    tiny: Path, cli: Command, whole: dict[str, bytes], tmp_path: Path, kilobytes: int
) -> None:
    disk = tmp_path / "disk"
    with small_disk(disk, kilobytes) as give_room:
        check_failure(cli("run", tiny, "--out", disk, *OPTIONS), disk)
        give_room()

        again = cli("run", tiny, "--out", disk, *OPTIONS)

        assert (again.code, again.err) == (0, "")
        assert stored(disk) == whole
        assert cli("report", disk / "tiny").code == 0


class Refusals:
    """Counts what is asked of the disk below a folder, and refuses one of these requests."""

    def __init__(self, below: Path, refused: int | None = None) -> None:
        self.below = str(below)
        self.refused = refused
        self.requests = 0

    def request(self, path: Any) -> None:
        if isinstance(path, int):
            path = os.readlink(f"/proc/self/fd/{path}")
        if os.path.abspath(os.fspath(path)).startswith(self.below):
            self.requests += 1
            if self.requests == self.refused:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    @contextmanager
    def in_force(self) -> Iterator[None]:
        opens, calls = io.open, ("fsync", "replace", "rename", "mkdir")

        def opened(file: Any, mode: str = "r", *rest: Any, **options: Any) -> Any:
            if set(mode) & set("wxa+"):
                self.request(file)
            return opens(file, mode, *rest, **options)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(io, "open", opened)
            patch.setattr(builtins, "open", opened)
            for name in calls:
                patch.setattr(os, name, self._before(getattr(os, name)))
            yield

    def _before(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def requested(path: Any, *rest: Any, **options: Any) -> Any:
            self.request(path)
            return call(path, *rest, **options)

        return requested


def run_refused(cli: Command, out: Path, refused: int | None) -> tuple[Any, Refusals]:
    disk = Refusals(out.absolute(), refused)
    with disk.in_force():
        outcome = cli("run", "tiny.yaml", "--out", out, "--no-tensorboard", *OPTIONS)
    return outcome, disk


def refuse_every(step: int, cli: Command, whole: dict[str, bytes]) -> int:
    """Refuse each `step`-th request of a run, one per run, and return how many runs that were."""
    _, disk = run_refused(cli, Path("counted"), None)
    numbers = range(1, disk.requests + 1, step)
    for number in numbers:
        out = Path(f"out-{number}")
        outcome, _ = run_refused(cli, out, number)
        if outcome.code:  # some files are not needed, such as the lock's text
            check_failure(outcome, out)
        again = cli("run", "tiny.yaml", "--out", out, "--no-tensorboard", *OPTIONS)
        assert (number, again.code, again.err) == (number, 0, "")
        assert stored(out) == whole
    return len(numbers)


def test_requests_that_are_refused_give_one_line_and_the_same_run_afterwards(
    cli: Command, whole: dict[str, bytes]
) -> None:
    assert refuse_every(29, cli, whole) >= 4


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_any_third_request_that_is_refused_gives_one_line_and_the_same_run_afterwards(
    cli: Command, whole: dict[str, bytes]
) -> None:
    assert refuse_every(3, cli, whole) >= 50


def test_stdout_on_a_full_disk_is_one_line() -> None:
    if not Path("/dev/full").exists():
        pytest.skip("there is no /dev/full here")
    command = "exec 1>/dev/full; exec {} -m cilsim list strategies"
    done = subprocess.run(
        ["bash", "-c", command.format(sys.executable)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (
        2,
        "error: stdout: cannot be written: No space left on device\n",
    )
