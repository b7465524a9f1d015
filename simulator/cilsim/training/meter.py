"""Loss and accuracy of an epoch, kept on the device and read once at its end."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from cilsim.training.batch import Batch, TrainingLoss


class Mean:
    """A mean of scalars on the device, each weighted by the number of its samples."""

    def __init__(self) -> None:
        self.values: list[Tensor] = []
        self.weights: list[int] = []

    def add(self, value: Tensor, weight: int) -> None:
        """Keep one more value without reading it."""
        self.values.append(value.detach())
        self.weights.append(weight)

    def read(self) -> float:
        """Return the mean; waits for the device."""
        values = torch.stack(self.values).double().cpu()
        weights = torch.tensor(self.weights, dtype=torch.float64)
        return float(values @ weights / weights.sum())


class Meter:
    """Sums over the steps of one epoch."""

    def __init__(self) -> None:
        self.loss = Mean()
        self.parts: dict[str, Mean] = {}
        self._predicted: list[Tensor] = []
        self._labels: list[Tensor] = []
        self._correct = 0
        self._counted = 0

    def add(self, loss: TrainingLoss, batch: Batch) -> None:
        """Note one step; launches one operation and reads nothing."""
        self.loss.add(loss.total, len(batch))
        for name, part in loss.parts.items():
            self.parts.setdefault(name, Mean()).add(part, len(batch))
        if loss.logits is not None and batch.labels is not None:
            self._predicted.append(loss.logits.detach().argmax(1))
            self._labels.append(batch.labels)

    def accuracy(self) -> float | None:
        """Return the fraction of correct predictions, or None if none was noted."""
        self._count()
        return self._correct / self._counted if self._counted else None

    def _count(self) -> None:
        if self._labels:
            hits = torch.cat(self._predicted) == torch.cat(self._labels)
            self._correct += int(hits.sum())
            self._counted += hits.numel()
            self._predicted, self._labels = [], []

    def tensors(self) -> dict[str, Tensor]:
        """Return what was noted so far, to go on from in another process."""
        self._count()
        state = {"counts": torch.tensor([self._correct, self._counted])}
        named = {"loss": self.loss, **{f"part.{name}": mean for name, mean in self.parts.items()}}
        for name, mean in named.items():
            if mean.values:
                state[f"{name}.values"] = torch.stack(mean.values).clone()
                state[f"{name}.weights"] = torch.tensor(mean.weights)
        return state

    @classmethod
    def from_tensors(cls, state: Mapping[str, Tensor], device: torch.device) -> Meter:
        """Return the meter whose `tensors` these are."""
        meter = cls()
        meter._correct, meter._counted = (int(count) for count in state["counts"])
        for key in state:
            name, _, kind = key.rpartition(".")
            if kind == "values":
                mean = Mean()
                mean.values = list(state[key].to(device).unbind())
                mean.weights = [int(weight) for weight in state[f"{name}.weights"]]
                meter._restore(name, mean)
        return meter

    def _restore(self, name: str, mean: Mean) -> None:
        if name == "loss":
            self.loss = mean
        else:
            self.parts[name.removeprefix("part.")] = mean
