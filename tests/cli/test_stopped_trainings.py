"""Trainings that cannot go on: what a user sees of them, and what stays."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
from safetensors.numpy import load_file

Command = Callable[..., Any]

SPOILT = """
from cilsim import Strategy, TrainingLoss, hookimpl

cilsim_api = 1


class Spoilt(Strategy):
    def loss(self, batch):
        result = super().loss(batch)
        if (batch.experience, batch.epoch, batch.step) == (1, 2, 1):
            return TrainingLoss(result.total * float("nan"), result.logits)
        return result


@hookimpl
def cilsim_register_strategies(register):
    register("spoilt", Spoilt, summary="its loss is NaN in one step")
"""

SCARCE = """
import torch

from cilsim import Strategy, hookimpl

cilsim_api = 1


class Scarce(Strategy):
    def transform_batch(self, batch):
        return batch

    def loss(self, batch):
        if len(batch) > 12:
            raise torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")
        return super().loss(batch)


@hookimpl
def cilsim_register_strategies(register):
    register("scarce", Scarce, summary="has memory for 12 samples")
"""

RECIPE = "{epochs: 4, batch_size: 16, lr: 0.01}"


def _run(cli: Command, tiny: Path, strategy: str, text: str, *more: str) -> Any:
    plugin = Path(f"{strategy}_{uuid4().hex}.py")  # a module can be loaded once in a process
    plugin.write_text(text)
    return cli(
        "run", tiny, "--plugin", plugin, "--no-tensorboard", "--json",
        "--set", f"strategies=[{strategy}, nmc]", "--seeds", "3",
        "--set", "backbone={name: mlp, hidden: [8]}",
        "--set", f"base_training={RECIPE}", "--set", f"training={RECIPE}", *more,
    )  # fmt: skip


def test_a_loss_that_is_nan_ends_its_run_and_no_other(tiny: Path, cli: Command) -> None:
    outcome = _run(cli, tiny, "spoilt", SPOILT)

    assert outcome.code == 1
    document = outcome.document()
    assert [run["strategy"] for run in document["runs"]] == ["nmc"]
    assert [failure["message"] for failure in document["failures"]] == [
        "strategy 'spoilt': experience 1, epoch 3 of 4, step 2: the training loss is nan; "
        "a smaller 'lr' or 'clip_gradient_norm' may help"
    ]


def test_the_last_good_state_is_kept_and_no_other(tiny: Path, cli: Command) -> None:
    _run(cli, tiny, "spoilt", SPOILT, "--checkpoint-every", "1epochs")

    stored = list(Path("runs/tiny/spoilt/seed-3/checkpoints").rglob("*.safetensors"))
    assert any("training" in path.as_posix() for path in stored)
    for path in stored:
        for tensor in load_file(path).values():
            assert np.isfinite(tensor).all()


def test_no_memory_for_a_batch_ends_its_run_and_no_other(tiny: Path, cli: Command) -> None:
    outcome = _run(cli, tiny, "scarce", SCARCE)

    assert outcome.code == 1
    document = outcome.document()
    assert [run["strategy"] for run in document["runs"]] == ["nmc"]
    assert [failure["message"] for failure in document["failures"]] == [
        "strategy 'scarce': experience 0, epoch 1 of 4, step 1: no memory for a batch of 16, and "
        "it is not done in halves: the loss is not known to be a mean over samples; "
        "a smaller 'batch_size' or 'precision: bf16' may help"
    ]


def test_halves_of_a_batch_let_the_run_go_on(tiny: Path, cli: Command) -> None:
    declared = SCARCE.replace("    def transform_batch(self, batch):\n        return batch\n\n", "")
    declared = declared.replace("(Strategy):\n", "(Strategy):\n    mean_loss = True\n\n")

    outcome = _run(cli, tiny, "scarce", declared)

    assert outcome.code == 0
    assert [run["strategy"] for run in outcome.document()["runs"]] == ["scarce", "nmc"]
    assert (
        "strategy 'scarce': experience 0, epoch 1 of 4, step 1: no memory for a batch of 16; from "
        "here on the halves of each batch are done one after the other, which changes results by "
        "no more than rounding"
    ) in " ".join(outcome.err.split())
