"""Selecting the base epoch on test data, as CEC, FACT and TEEN do. Exists to match old papers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from torch import Tensor, nn

Accuracy = Callable[[], float]


class BestTestEpoch:
    """Keeps the weights of the epoch with the highest test accuracy; the later one wins ties.

    Reports of runs that use it are stamped: the figures are not comparable with an honest
    protocol.
    """

    def __init__(self, accuracy: Accuracy) -> None:
        self._accuracy = accuracy
        self._best = -1.0
        self._weights: dict[str, dict[str, Tensor]] = {}

    def after_epoch(self, modules: Mapping[str, nn.Module]) -> None:
        """Measure, and keep the weights if they are the best so far."""
        accuracy = self._accuracy()
        if accuracy >= self._best:
            self._best = accuracy
            self._weights = {
                name: {key: tensor.detach().clone() for key, tensor in module.state_dict().items()}
                for name, module in modules.items()
            }

    def finish(self, modules: Mapping[str, nn.Module]) -> None:
        """Load the weights of the best epoch."""
        for name, weights in self._weights.items():
            modules[name].load_state_dict(weights)

    def state_dict(self) -> dict[str, Any]:
        """Return what must survive an interruption."""
        return {"best": self._best, "weights": self._weights}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over what `state_dict` returned."""
        self._best, self._weights = state["best"], state["weights"]
