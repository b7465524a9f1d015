"""Kills runs of every strategy by SIGKILL, resumes them, and compares what they leave.

    python tests/runner/kill_runs.py FOLDER [--kills 3] [--seed 0] [--only fetril] [--device cpu]

Prints a line of JSON for each. Torch is imported once: every command is a fork of this process, so
that a kill costs no import. Each strategy runs with and without the cache of trained bases. Kills
come after a random share of the time that the uninterrupted run took, at a random optimiser step,
before or after a random system call that makes files safe, or beside an evaluation. What is
compared is every file of the run folder, without what tells the time.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kill_command import CALLS, PREDICTIONS, STEPS, Command, Counts
from kill_comparison import different, files_of
from kill_scenarios import scenario_text, scenarios

os.environ.update(OMP_NUM_THREADS="1", MKL_NUM_THREADS="1")  # before torch is imported


PLACES = {"step": STEPS, "call": CALLS, "evaluation": PREDICTIONS}


@dataclass(frozen=True)
class Moment:
    """When to kill: at a share of the time, or of what is counted, of a whole run."""

    kind: str
    share: float


@dataclass
class Uninterrupted:
    """What a run leaves that nobody disturbed, and what it took."""

    files: dict[str, bytes]
    seconds: float
    counts: tuple[int, ...]


@dataclass
class Trial:
    """One strategy, with the cache or without."""

    place: Path
    strategy: str
    cache: bool
    device: str
    random: random.Random
    counts: Counts = field(default_factory=Counts)
    phases: Counter[str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    runs: int = 0

    def run(self, kills: int) -> dict[str, Any]:
        whole = self._uninterrupted()
        killed, differences = 0, []
        while killed < kills:
            command = self._fresh()
            killed += self._live(command, whole, kills - killed)
            left = files_of(command.folder / "runs" / "killed")
            differences += different(whole.files, left)
        return {
            "strategy": self.strategy,
            "cache": self.cache,
            "seconds": round(whole.seconds, 2),
            "runs": self.runs,
            "killed": killed,
            "phases": dict(self.phases),
            "kinds": dict(self.kinds),
            "differences": differences,
        }

    def _fresh(self) -> Command:
        folder = self.place / f"{self.strategy}-{'cache' if self.cache else 'plain'}-{self.runs}"
        self.runs += 1
        folder.mkdir(parents=True)
        text = scenario_text(self.strategy, scenarios()[self.strategy])
        text = text.replace("DATA", str(self.place))  # resolved paths are absolute
        (folder / "killed.yaml").write_text(text)
        return Command(folder, self.cache, self.device, self.counts)

    def _uninterrupted(self) -> Uninterrupted:
        command, began = self._fresh(), time.monotonic()
        status = self._wait(command.start(command.arguments(), {}), None)
        if status != 0:
            raise SystemExit(f"{self.strategy}: {(command.folder / 'log').read_text()}")
        return Uninterrupted(
            files_of(command.folder / "runs" / "killed"),
            time.monotonic() - began,
            tuple(self.counts[place] for place in PLACES.values()),
        )

    def _live(self, command: Command, whole: Uninterrupted, most: int) -> int:
        """Run until it is finished, killed at most so often; return how often it was."""
        killed = 0
        while True:
            moment = self._moment() if killed < most else None
            status = self._attempt(command, whole, moment)
            if status == 0:
                return killed
            if status != -signal.SIGKILL:
                raise SystemExit(f"{command.folder}: {(command.folder / 'log').read_text()}")
            assert moment is not None
            killed += 1
            self.phases[self.counts.phase] += 1
            self.kinds[moment.kind] += 1

    def _attempt(self, command: Command, whole: Uninterrupted, moment: Moment | None) -> int:
        if moment is None:
            return self._wait(command.start(command.arguments(), {}), None)
        if moment.kind == "time":
            pid = command.start(command.arguments(), {})
            return self._wait(pid, moment.share * whole.seconds)
        place = PLACES[moment.kind]
        at = 1 + int(moment.share * whole.counts[place])
        return self._wait(command.start(command.arguments(), {place: at}), None)

    def _moment(self) -> Moment:
        kind = self.random.choice(["time", "time", *PLACES])
        return Moment(kind, self.random.random())

    def _wait(self, pid: int, seconds: float | None) -> int:
        """Return how a process ended; it is killed after so many seconds."""
        if seconds is not None:
            until = time.monotonic() + seconds
            while time.monotonic() < until:
                ended, status = os.waitpid(pid, os.WNOHANG)
                if ended:
                    return os.waitstatus_to_exitcode(status)
                time.sleep(0.002)
            os.kill(pid, signal.SIGKILL)
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def import_all() -> None:
    """Import in this process what every fork would import."""
    import matplotlib.figure
    import sklearn.cluster
    import torch
    import torch.utils.tensorboard

    from cilsim.cli.main import main
    from cilsim.plugins import discover
    from cilsim.report import aggregate, html, tensorboard
    from cilsim.runner import scenario_run

    torch.use_deterministic_algorithms(True)  # imports much
    plugins = discover()
    for strategy in scenarios():
        plugins.registries.strategies[strategy].load()
    used = (matplotlib.figure, sklearn.cluster, torch.utils.tensorboard, main, scenario_run)
    assert all((*used, aggregate, html, tensorboard))


def trials(arguments: argparse.Namespace) -> Iterator[Trial]:
    for strategy in scenarios():
        for cache in (True, False):
            if arguments.only in (None, strategy):
                chance = random.Random(f"{arguments.seed} {strategy} {cache}")
                yield Trial(arguments.folder, strategy, cache, arguments.device, chance)


def live_through(trials: Iterable[Trial], arguments: argparse.Namespace, number: int) -> None:
    with (arguments.folder / f"found-{number}.jsonl").open("a") as file:
        for trial in trials:
            file.write(json.dumps(trial.run(arguments.kills)) + "\n")
            file.flush()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--kills", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--processes", type=int, default=2)
    arguments = parser.parse_args()
    import_all()
    from cilsim.testing import write_patterns, write_ring

    arguments.folder.mkdir(parents=True, exist_ok=True)
    write_ring(arguments.folder / "ring.npz")
    write_patterns(arguments.folder / "patterns.npz")
    waiting, workers = list(trials(arguments)), []
    for number in range(arguments.processes):
        pid = os.fork()
        if pid == 0:
            live_through(waiting[number :: arguments.processes], arguments, number)
            os._exit(0)
        workers.append(pid)
    codes = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in workers]
    if any(codes):
        sys.exit(1)
    for path in sorted(arguments.folder.glob("found-*.jsonl")):
        sys.stdout.write(path.read_text())


if __name__ == "__main__":
    main()
