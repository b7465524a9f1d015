"""Machines that lack something: a home, a cache, a temporary folder, file handles, letters."""

from __future__ import annotations

import gc
import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

Command = Callable[..., Any]
QUICK = ("--device", "cpu", "--no-tensorboard", "--seeds", "0", "--strategies", "nmc")


@pytest.fixture
def whole(finished: tuple[Path, Any]) -> bytes:
    return (finished[0] / "runs" / "tiny" / "nmc" / "seed-0" / "metrics.jsonl").read_bytes()


def results() -> bytes:
    return Path("runs/tiny/nmc/seed-0/metrics.jsonl").read_bytes()


def run_in(environment: dict[str, str | None], *options: str) -> Any:
    """Run the tiny scenario in a process with a changed environment; None removes a variable."""
    changed = {**os.environ, **{name: value for name, value in environment.items() if value}}
    for name in [name for name, value in environment.items() if value is None]:
        changed.pop(name, None)
    return subprocess.run(
        [sys.executable, "-m", "cilsim", "run", "tiny.yaml", *QUICK, *options],
        env=changed, capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.mark.slow
def test_no_home_no_cache_and_no_temporary_folder_cost_a_warning(tiny: Path, whole: bytes) -> None:
    nowhere = "/dev/null/nowhere"

    done = run_in(
        {"HOME": nowhere, "CILSIM_CACHE": None, "XDG_CACHE_HOME": None, "TMPDIR": nowhere}
    )

    assert (done.returncode, done.stdout) == (0, "runs/tiny\n")
    assert results() == whole


def test_a_cache_that_cannot_be_written_is_one_warning(
    tiny: Path, cli: Command, whole: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CILSIM_CACHE", "tiny.yaml/cache")
    small = "backbone={name: mlp, hidden: [4]}"

    outcome = cli("run", tiny, *QUICK, "--set", small, "--set", "base_training={epochs: 1}")

    assert outcome.code == 0
    [warning] = {line for line in outcome.err.splitlines() if line.startswith("warning: ")}
    assert warning == (
        "warning: tiny.yaml/cache/store: cannot be written: Not a directory; nothing is cached"
    )


@pytest.mark.slow
def test_64_file_handles_are_enough(tiny: Path, whole: bytes) -> None:
    code = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))\n"
        "from cilsim.cli.main import main; sys.exit(main())"
    )
    options = [option for option in QUICK if option != "--no-tensorboard"]

    done = subprocess.run(
        [sys.executable, "-c", code, "run", "tiny.yaml", *options],
        capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert (done.returncode, done.stdout) == (0, "runs/tiny\n"), done.stderr
    assert results() == whole


FAILED = "error: 1 of 1 runs failed: nmc/seed-0; try again with: cilsim resume runs/tiny"


def test_too_few_file_handles_are_one_line(
    tiny: Path, cli: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert cli("run", tiny, *QUICK, "-q", "--out", "warm").code == 0  # everything is imported
    gc.collect()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (len(os.listdir("/proc/self/fd")) - 1, hard))
    try:
        outcome = cli("run", tiny, *QUICK, "-q")
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

    told = [line for line in outcome.err.splitlines() if "Too many open files" not in line]
    assert outcome.code in (1, 2)
    assert outcome.err.count("Too many open files") >= 1
    # as far as a run of its own, if somebody else's file was closed meanwhile
    assert told in ([], [FAILED])


@pytest.mark.slow
@pytest.mark.parametrize(
    "environment",
    [
        {"LC_ALL": "C", "LANG": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        {"PYTHONIOENCODING": "ascii"},
        {"COLUMNS": "20", "TERM": "dumb"},
    ],
    ids=["C", "ascii", "narrow"],
)
def test_any_terminal_can_show_a_run(
    tiny: Path, whole: bytes, environment: dict[str, str | None]
) -> None:
    done = run_in(environment)

    assert (done.returncode, done.stdout) == (0, "runs/tiny\n")
    assert "results:     runs/tiny" in done.stderr.splitlines()
    assert done.stderr.isascii() or "COLUMNS" in environment
    assert results() == whole


def test_a_clock_that_goes_backwards_changes_nothing(
    tiny: Path, cli: Command, whole: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    seconds: Iterator[int] = iter(range(2_000_000_000, 0, -1000))
    monkeypatch.setattr("time.time", lambda: float(next(seconds)))

    outcome = cli("run", tiny, *QUICK, "-q")

    assert (outcome.code, outcome.err) == (0, "")
    assert results() == whole


def test_a_folder_without_permission_is_one_line(tiny: Path) -> None:
    Path("locked").mkdir(mode=0o555)
    command = [sys.executable, "-m", "cilsim", "run", "tiny.yaml", *QUICK, "-q", "--out", "locked"]
    if os.geteuid() == 0:  # root may write everywhere unless that is taken from it
        command = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search", *command]
    if shutil.which(command[0]) is None:
        pytest.skip("there is no setpriv here")

    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (
        2,
        "error: locked/tiny: cannot be written: Permission denied; "
        "choose another place with --out\n",
    )


def test_a_read_only_disk_is_one_line(tiny: Path, cli: Command, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "ro", "tmpfs", str(disk)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("no file system may be mounted here")
    try:
        outcome = cli("run", tiny, *QUICK, "-q", "--out", disk)
    finally:
        subprocess.run(["umount", str(disk)], check=True)

    assert (outcome.code, outcome.err) == (
        2,
        f"error: {disk}/tiny: cannot be written: Read-only file system; "
        "choose another place with --out\n",
    )
