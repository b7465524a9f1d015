"""Processes that are threads of this one, for what needs no other memory, and real ones."""

from __future__ import annotations

import importlib.util
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from torch import Tensor

from cilsim.distributed.processes import Processes
from cilsim.errors import OutOfStep

PROGRAMS = Path(__file__).parent / "programs"


class Meeting:
    """Where threads hand each other values, one round after the other."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.rounds: dict[int, dict[int, Any]] = {}
        self.notes: dict[str, str] = {}
        self._changed = threading.Condition()
        self._ended: set[int] = set()

    def exchange(self, number: int, rank: int, value: Any) -> list[Any]:
        """Return the values of all threads in a round."""
        with self._changed:
            values = self.rounds.setdefault(number, {})
            values[rank] = value
            self._changed.notify_all()
            self._changed.wait_for(lambda: len(values) == self.count or self._ended - {*values}, 60)
        if len(values) < self.count:
            raise OutOfStep("another thread has ended")
        return [values[rank] for rank in range(self.count)]

    def end(self, rank: int) -> None:
        """Let nobody wait for a thread any more."""
        with self._changed:
            self._ended.add(rank)
            self._changed.notify_all()


class ThreadProcesses(Processes):
    """One of several threads that play processes; counts what it sends."""

    def __init__(self, rank: int, meeting: Meeting) -> None:
        super().__init__(rank, meeting.count)
        self.meeting = meeting
        self.messages = 0

    def _exchange(self, value: Any) -> list[Any]:
        self.messages += 1
        return self.meeting.exchange(self.messages, self.rank, value)

    def add_up(self, tensor: Tensor) -> None:
        first, *others = self._exchange(tensor.clone())
        tensor.copy_(sum(others, start=first))

    def gather(self, own: Tensor) -> Tensor:
        return torch.stack(self._exchange(own))

    def spread(self, tensor: Tensor, source: int = 0) -> None:
        tensor.copy_(self._exchange(tensor.clone())[source])

    def greatest(self, *numbers: int) -> list[int]:
        return [int(max(column)) for column in zip(*self._exchange(numbers), strict=True)]

    def of_first(self, content: bytes) -> bytes:
        return self._exchange(content)[0]

    def all_failed(self, what: str) -> bool:
        self.meeting.notes[f"{what}/{self.rank}"] = "failed"
        deadline = time.monotonic() + 0.2
        while time.monotonic() < deadline:
            found = [self.meeting.notes.get(f"{what}/{rank}") for rank in range(self.count)]
            if None not in found:
                return set(found) == {"failed"}
            time.sleep(0.005)
        return False

    def passed(self, what: str) -> None:
        self.meeting.notes[f"{what}/{self.rank}"] = "passed"


def run_together(count: int, act: Callable[[ThreadProcesses], Any]) -> list[Any]:
    """Return what `act` returned, or the error that it raised, in each of `count` threads."""
    meeting, found = Meeting(count), [None] * count

    def run(rank: int) -> None:
        try:
            found[rank] = act(ThreadProcesses(rank, meeting))
        except BaseException as error:
            found[rank] = error
        finally:
            meeting.end(rank)

    threads = [threading.Thread(target=run, args=(rank,)) for rank in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


@pytest.fixture
def together() -> Callable[..., list[Any]]:
    """`run_together`, with an error in any thread raised."""

    def run(count: int, act: Callable[[ThreadProcesses], Any]) -> list[Any]:
        found = run_together(count, act)
        errors = [one for one in found if isinstance(one, BaseException)]
        for error in sorted(errors, key=lambda error: isinstance(error, OutOfStep)):
            raise error
        return found

    return run


@pytest.fixture
def apart() -> Callable[..., list[Any]]:
    """`run_together`, with errors returned."""
    return run_together


@pytest.fixture(scope="session")
def toy() -> ModuleType:
    """The trainings of `programs/toy.py`."""
    spec = importlib.util.spec_from_file_location("toy", PROGRAMS / "toy.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def launch() -> Callable[..., None]:
    """Runs a program of `programs/` in several processes at a time, with torchrun's variables."""

    def run(count: int, program: str, *arguments: object) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        command = [sys.executable, str(PROGRAMS / program), *map(str, arguments)]
        shared = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "WORLD_SIZE": str(count)}
        shared["GLOO_SOCKET_IFNAME"] = "lo" if sys.platform == "linux" else "lo0"
        started = [
            subprocess.Popen(
                command,
                env={**os.environ, **shared, "RANK": str(rank), "LOCAL_RANK": str(rank)},
                stderr=subprocess.PIPE,
                text=True,
            )
            for rank in range(count)
        ]
        told = [process.communicate(timeout=240)[1] for process in started]
        assert [process.returncode for process in started] == [0] * count, told

    return run
