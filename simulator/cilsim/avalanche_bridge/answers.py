"""What an Avalanche strategy predicts, asked through its own evaluation loop.

Several strategies predict otherwise than by `model(x)`: by class means (iCaRL, SCR, CoPE), by
discriminants (SLDA), by consolidated weights (CWR*). Their callbacks see one batch, whose labels
are all 0. Axis letters: B batch, K classes.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from avalanche.training.plugins import EvaluationPlugin, SupervisedPlugin
from torch import Tensor


class _Collector(SupervisedPlugin):  # type: ignore[misc] # avalanche has no types
    """Takes the output of one batch, after every other plugin."""

    output: Any = None

    def after_eval_iteration(self, strategy: Any, **_: Any) -> None:
        self.output = strategy.mb_output


def answer(strategy: Any, x: Tensor, experience: Any, classes: int) -> Tensor:
    """Return (B, K) scores of the first `classes` outputs, -inf for those that it does not have.

    Args:
        strategy: a stock strategy.
        x: (B, ...) normalised samples.
        experience: the newest one; strategies look at its classes.
        classes: K.
    """
    collector = _Collector()
    with torch.inference_mode(False), torch.no_grad(), _one_batch(strategy, x.clone(), collector):
        strategy.eval([experience], num_workers=0)
    output_BK: Tensor = collector.output[:, :classes].float()
    missing = classes - output_BK.shape[1]
    if missing:
        output_BK = torch.nn.functional.pad(output_BK, (0, missing), value=float("-inf"))
    return output_BK


@contextmanager
def _one_batch(strategy: Any, x: Tensor, collector: _Collector) -> Iterator[None]:
    """Let the strategy's evaluation have one batch in place of a loader, and no loss."""
    zeros = torch.zeros(len(x), dtype=torch.int64, device=x.device)

    def make_loader(**_: Any) -> None:
        strategy.dataloader = [[x, zeros, zeros.clone()]]

    strategy.make_eval_dataloader = make_loader
    strategy.criterion = lambda: torch.zeros((), device=x.device)
    everybody = strategy.plugins
    # metrics, a user's own too, are for batches with labels
    others = [plugin for plugin in everybody if not isinstance(plugin, EvaluationPlugin)]
    strategy.plugins = [*others, collector]
    try:
        yield
    finally:
        strategy.plugins = everybody
        del strategy.make_eval_dataloader, strategy.criterion
