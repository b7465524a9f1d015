"""One point of a curve in a process of its own: `python -m benchmarks.scaling.probe CASE`.

CASE is JSON; what comes out is JSON.
"""

from __future__ import annotations

import json
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import psutil
import torch

from benchmarks.scaling.curves import Case
from benchmarks.scaling.features import made_arrays
from cilsim.hookspecs import hookimpl
from cilsim.runner.from_python import run

EVERY_SECONDS = 0.02


class Clock:
    """Adds up the processor's seconds of learning, and of evaluating and writing.

    Attributes:
        learning: of what happens before an experience is evaluated.
        evaluating: of predictions, metrics and result files.
    """

    cilsim_api = 1

    def __init__(self) -> None:
        self.learning = self.evaluating = self._began = 0.0

    @hookimpl
    def cilsim_before_experience(self) -> None:
        """Start the clock."""
        self._began = time.process_time()

    @hookimpl
    def cilsim_after_training(self) -> None:
        """Note what learning took."""
        now = time.process_time()
        self.learning += now - self._began
        self._began = now

    @hookimpl
    def cilsim_after_evaluation(self) -> None:
        """Note what came after it."""
        self.evaluating += time.process_time() - self._began


class PeakMemory:
    """Watches how much memory this process holds while something runs.

    Attributes:
        own_bytes: most that was its own, above what it held before; pages of mapped files, which
            the system can take back, are not counted.
        resident_bytes: most that was resident, those pages and the interpreter included.
    """

    def __init__(self) -> None:
        self._process = psutil.Process()
        self._before = self._own()
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self.own_bytes = self.resident_bytes = 0

    def __enter__(self) -> PeakMemory:
        self._thread.start()
        return self

    def __exit__(self, *raised: object) -> None:
        self._done.set()
        self._thread.join()
        self._look()

    def _watch(self) -> None:
        while not self._done.wait(EVERY_SECONDS):
            self._look()

    def _look(self) -> None:
        self.own_bytes = max(self.own_bytes, self._own() - self._before)
        self.resident_bytes = max(self.resident_bytes, self._process.memory_info().rss)

    def _own(self) -> int:
        memory = self._process.memory_info()
        return int(memory.rss) - int(getattr(memory, "shared", 0))


def measure(case: Case) -> dict[str, Any]:
    """Return seconds of processor time, memory and bytes on disk of one run."""
    torch.set_num_threads(1)
    cuda = torch.cuda.is_available()
    with tempfile.TemporaryDirectory(prefix="cilsim-scaling-") as name:
        folder = Path(name)
        arrays = made_arrays(
            folder, case.classes, case.train_per_class, case.test_per_class, case.size
        )
        torch.use_deterministic_algorithms(False)  # imports what every run would import
        clock, began = Clock(), time.process_time()
        with PeakMemory() as memory:
            outcome = run(
                case.scenario(),
                arrays=arrays,
                plugins=[("clock", clock)],
                out=folder / "runs",
                cache=False,
            )
        spent = time.process_time() - began
        for failure in outcome.failures:
            raise RuntimeError(failure.message)
        evaluations = outcome.results[0].evaluations
        return {
            "seconds_in_all": spent,
            "seconds_learning": clock.learning,
            "seconds_evaluating": clock.evaluating,
            "own_bytes": memory.own_bytes,
            "resident_bytes": memory.resident_bytes,
            "device_bytes": torch.cuda.max_memory_allocated() if cuda else 0,
            "run_folder_bytes": _bytes_in(outcome.folder),
            "accuracy": evaluations[-1].values["A_all"],
        }


def _bytes_in(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


if __name__ == "__main__":
    print(json.dumps(measure(Case(**json.loads(sys.argv[1])))))
