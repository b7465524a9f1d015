"""The bytes that an Avalanche strategy keeps between experiences: what its attributes hold."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from avalanche.benchmarks.utils import AvalancheDataset
from avalanche.training.plugins import EvaluationPlugin
from torch import Tensor, nn
from torch.optim import Optimizer

from cilsim.strategy.strategy import bytes_of

_PASSING = frozenset(
    {"experience", "adapted_dataset", "dataloader", "mbatch", "mb_output", "loss", "optimizer",
     "current_eval_stream", "model", "evaluator", "clock", "optimized_param_id"}
)  # fmt: skip
"""Attributes of a strategy that are no memory of earlier experiences."""


def bytes_kept(strategy: Any, sample_bytes: int) -> dict[str, int]:
    """Return bytes by kind: `exemplars` in buffers, `models` and `tensors` that plugins hold.

    Args:
        strategy: a stock strategy.
        sample_bytes: size of one stored sample with its label.
    """
    found: dict[str, int] = {}
    current = {id(tensor) for tensor in (*strategy.model.parameters(), *strategy.model.buffers())}
    _Walk(found, current, sample_bytes).look(
        {key: value for key, value in vars(strategy).items() if key not in _PASSING}
    )
    return found


class _Walk:
    """Visits each object once; what belongs to the current model is counted elsewhere."""

    def __init__(self, found: dict[str, int], seen: set[int], sample_bytes: int) -> None:
        self._found, self._seen, self._sample_bytes = found, seen, sample_bytes
        self._alive: list[Any] = []  # an id is free again once its object is gone

    def look(self, thing: Any) -> None:
        """Add up what `thing` holds."""
        if id(thing) in self._seen:
            return
        self._seen.add(id(thing))
        self._alive.append(thing)
        if isinstance(thing, AvalancheDataset):
            self._add("exemplars", len(thing) * self._sample_bytes)
        elif isinstance(thing, nn.Module):
            self._module(thing)
        elif isinstance(thing, Tensor):
            self._add("tensors", bytes_of(thing))
        elif isinstance(thing, Optimizer | EvaluationPlugin):
            return
        else:
            for part in _parts(thing):
                self.look(part)

    def _module(self, module: nn.Module) -> None:
        for tensor in (*module.parameters(), *module.buffers()):
            if id(tensor) not in self._seen:
                self._seen.add(id(tensor))
                self._add("models", bytes_of(tensor))

    def _add(self, kind: str, count: int) -> None:
        if count:
            self._found[kind] = self._found.get(kind, 0) + count


def _parts(thing: Any) -> Iterable[Any]:
    """Return what is inside a container, or inside an object of Avalanche's."""
    if isinstance(thing, Mapping):
        return list(thing.values())
    if isinstance(thing, list | tuple | set):
        return list(thing)
    if type(thing).__module__.split(".")[0] == "avalanche":
        return [value for key, value in vars(thing).items() if key not in _PASSING]
    return ()
