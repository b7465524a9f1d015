"""What starting costs: help against an empty click program, a run's first step against torch.

Every call is a fresh interpreter, and CPU seconds are those of that process. The run is stopped by
a plugin that is asked for the loss of a second optimiser step, so that the first one is done; its
data is ready and its base is not cached.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import torch

from cilsim.bench.rounds import Arm, Contestants, Goal, Limit
from cilsim.bench.scratch import scratch_folder

EMPTY = """
import click

@click.group()
def empty():
    "An empty program."

empty()
"""

SCENARIO = """
stream: {kind: class_incremental, dataset: digits, base_classes: 4, increment: 2}
backbone: small
strategies: [nmc]
base_training: {epochs: 1}
"""

STOP = """
import os
import cilsim

cilsim_api = 1

@cilsim.hookimpl(tryfirst=True)
def cilsim_training_loss(run, strategy, batch):
    if batch.step:
        os._exit(0)
"""

ENGINE = ("-m", "cilsim")


def _program(folder: Path, *words: str) -> Callable[[], None]:
    """Return a call that runs an interpreter in `folder`."""
    environment = {**os.environ, "CILSIM_PLUGINS": "nmc"}

    def run() -> None:
        subprocess.run(
            [sys.executable, *words], cwd=folder, env=environment, capture_output=True, check=True
        )

    return run


def _help(device: torch.device) -> Contestants:
    folder = scratch_folder()
    (folder / "empty.py").write_text(EMPTY)
    return {
        "click": _program(folder, "empty.py", "--help"),
        "cilsim": _program(folder, *ENGINE, "--help"),
    }


def _first_step(device: torch.device) -> Contestants:
    folder = scratch_folder()
    (folder / "start_up.yaml").write_text(SCENARIO)
    (folder / "stop_at_first_step.py").write_text(STOP)
    run = ("run", "start_up.yaml", "--no-cache", "--plugin", "stop_at_first_step.py")
    return {
        "import torch": _program(folder, "-c", "import torch"),
        "cilsim": _program(folder, *ENGINE, *run, "--device", device.type),
    }


HELP = Arm(
    "`cilsim --help` against the help of an empty click program",
    "click", _help, 1, "start", (Goal("cilsim", 0.5, 0.5),),
)  # fmt: skip
FIRST_STEP = Arm(
    "`cilsim run` on digits up to its first optimiser step, against `import torch`",
    "import torch", _first_step, 1, "start", limits=(Limit("cilsim", 2.0),),
)  # fmt: skip
