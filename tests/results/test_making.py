from __future__ import annotations

import logging
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cilsim.results.cache import ContentStore
from cilsim.results.making import sole_maker

HOLD = """
import sys, time
from pathlib import Path
from cilsim.results.making import sole_maker
root = Path(sys.argv[1])
with sole_maker(root, "base", "k"):
    (root / "held").touch()
    time.sleep(float(sys.argv[2]))
    (root / "made").touch()
"""


def hold(root: Path, seconds: float) -> subprocess.Popen[bytes]:
    """Start a process that makes the entry `base k`, and return once it does."""
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(root), str(seconds)])
    while not (root / "held").exists():
        assert process.poll() is None
        time.sleep(0.01)
    return process


def test_an_entry_is_made_by_one_process_while_others_wait(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "cilsim")
    process = hold(tmp_path, 0.3)

    with ContentStore(tmp_path).making("base", "k"):
        assert (tmp_path / "made").exists()

    assert process.wait() == 0
    assert caplog.messages == ["another process is making base k; waiting for it"]


def test_a_maker_that_is_killed_leaves_the_entry_to_others(tmp_path: Path) -> None:
    process = hold(tmp_path, 60)
    process.kill()
    process.wait()

    with sole_maker(tmp_path, "base", "k"):
        assert not (tmp_path / "made").exists()


def test_different_entries_are_made_at_once(tmp_path: Path) -> None:
    process = hold(tmp_path, 60)

    with sole_maker(tmp_path, "base", "other"):
        assert process.poll() is None

    process.kill()
    process.wait()


def test_where_no_lock_can_be_kept_the_entry_is_made_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with sole_maker(tmp_path / "file", "base", "k"):
        made = True

    assert made


def test_the_locks_are_no_entries_of_the_cache(tmp_path: Path) -> None:
    store = ContentStore(tmp_path)

    with store.making("base", "k"):
        assert store.entries() == []
    assert store.clear() == 0
