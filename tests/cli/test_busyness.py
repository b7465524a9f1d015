"""Whether others compute, by what the system says about threads that are ready to run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cilsim.cli import busyness
from cilsim.cli.busyness import LOOKS, SPINS, others_compute, spins_while_waiting


class Load:
    """Stands for `/proc/loadavg`: says another number of ready threads at every look."""

    def __init__(self, ready: Iterator[int]) -> None:
        self._ready = ready

    def read_text(self, encoding: str) -> str:
        return f"1.00 1.00 1.00 {next(self._ready)}/512 4321\n"


@pytest.fixture(autouse=True)
def four_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(busyness.os, "cpu_count", lambda: 4)
    monkeypatch.setattr(busyness, "SECONDS_BETWEEN_LOOKS", 0.0)


@pytest.mark.parametrize(
    ("ready", "busy"), [(1, False), (2, False), (3, True), (9, True)],
    ids=["nobody", "one core of four", "two cores of four", "more threads than cores"],
)  # fmt: skip
def test_others_compute_if_they_keep_half_of_the_cores_busy(
    ready: int, busy: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(busyness, "LOAD", Load(iter([ready] * LOOKS)))
    assert others_compute() is busy


def test_what_is_busy_for_a_moment_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    moment = [9] * (LOOKS // 2)
    monkeypatch.setattr(busyness, "LOAD", Load(iter(moment + [1] * (LOOKS - len(moment)))))
    assert not others_compute()


@pytest.mark.parametrize("content", [None, "", "0.00 0.00 0.00\n"])
def test_where_the_system_does_not_say_nobody_computes(
    content: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if content is not None:
        (tmp_path / "loadavg").write_text(content)
    monkeypatch.setattr(busyness, "LOAD", tmp_path / "loadavg")
    assert spins_while_waiting() == SPINS


def test_threads_sleep_at_once_where_others_compute(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(busyness, "LOAD", Load(iter([5] * LOOKS)))
    assert spins_while_waiting() == 0
