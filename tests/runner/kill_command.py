"""A command in a fork of this process that dies where it is asked."""

from __future__ import annotations

import os
import shutil
import signal
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from mmap import mmap
from pathlib import Path
from typing import Any

PHASES = ("starting", "training", "evaluating", "storing", "reporting")


@dataclass
class Counts:
    """What a command has done so far, in memory that survives its death."""

    shared: mmap = field(default_factory=lambda: mmap(-1, 64))

    def clear(self) -> None:
        self.shared[:] = bytes(64)

    def add(self, place: int) -> int:
        count = self[place] + 1
        self.shared[8 * place : 8 * place + 8] = count.to_bytes(8)
        return count

    def __getitem__(self, place: int) -> int:
        return int.from_bytes(self.shared[8 * place : 8 * place + 8])

    def enter(self, phase: str) -> None:
        self.shared[63] = PHASES.index(phase)

    @property
    def phase(self) -> str:
        return PHASES[self.shared[63]]


STEPS, CALLS, PREDICTIONS = 0, 1, 2


@dataclass
class Command:
    """`cilsim run` or `cilsim resume` in a fork of this process."""

    folder: Path
    cache: bool
    device: str
    counts: Counts

    def start(self, arguments: list[str], die_at: Mapping[int, int]) -> int:
        self.counts.clear()
        pid = os.fork()
        if pid:
            return pid
        try:
            code = self._run(arguments, die_at)
        finally:
            os._exit(99)
        return code

    def _run(self, arguments: list[str], die_at: Mapping[int, int]) -> int:
        from cilsim.cli.main import main

        os.chdir(self.folder)
        os.environ["CILSIM_CACHE"] = str(self.folder / "cache")
        log = os.open("log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(log, 1)
        os.dup2(log, 2)
        watch(self.counts, die_at)
        options = [] if self.cache else ["--no-cache"]
        code = main([*arguments, "--device", self.device, *options])
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)

    def arguments(self) -> list[str]:
        if (self.folder / "runs" / "killed" / "resolved.yaml").is_file():
            return ["resume", "runs/killed"]
        return ["run", "killed.yaml"]


def watch(counts: Counts, die_at: Mapping[int, int]) -> None:
    """Count steps and calls in this process, note phases, and die where it is asked."""
    from cilsim.results.checkpoint import Checkpoints
    from cilsim.results.seed_folder import SeedFolder
    from cilsim.runner.evaluation import Evaluator
    from cilsim.runner.run import Run
    from cilsim.training.step import OptimiserStep

    def counted(function: Callable[..., Any], place: int) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            if counts.add(place) == die_at.get(place):
                os.kill(os.getpid(), signal.SIGKILL)
            result = function(*arguments, **options)
            if counts.add(place) == die_at.get(place):
                os.kill(os.getpid(), signal.SIGKILL)
            return result

        return call

    def phased(function: Callable[..., Any], phase: str) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            counts.enter(phase)
            return function(*arguments, **options)

        return call

    for name in ("fsync", "replace", "rename", "unlink"):
        setattr(os, name, counted(getattr(os, name), CALLS))
    shutil.rmtree = counted(shutil.rmtree, CALLS)  # type: ignore[assignment]
    OptimiserStep.__call__ = counted(OptimiserStep.__call__, STEPS)  # type: ignore[method-assign]
    Run.learn_and_predict = phased(Run.learn_and_predict, "training")  # type: ignore[method-assign]
    predict = counted(Evaluator.predict, PREDICTIONS)
    Evaluator.predict = phased(predict, "evaluating")  # type: ignore[method-assign]
    for owner, method in ((SeedFolder, "write_evaluation"), (Checkpoints, "save_experience")):
        setattr(owner, method, phased(getattr(owner, method), "storing"))
    import cilsim.cli.execution as execution

    execution.write_reports = phased(execution.write_reports, "reporting")
