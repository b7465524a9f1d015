"""Plugins that watch a run on behalf of a test."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from hashlib import sha256
from typing import Any

from cilsim.data.samples import Samples
from cilsim.hookspecs import hookimpl
from cilsim.runner.interruption import StopRequest
from cilsim.strategy import Experience, Strategy


class StopAfterCheckpoint:
    """Asks the run to stop after each checkpoint."""

    def __init__(self, stop: StopRequest) -> None:
        self._stop = stop

    @hookimpl
    def cilsim_on_checkpoint(self) -> None:
        """Ask."""
        self._stop.ask()


class StopAfterEpoch:
    """Asks the run to stop after each epoch of a training."""

    def __init__(self, stop: StopRequest) -> None:
        self._stop = stop

    @hookimpl
    def cilsim_on_scalars(self) -> None:
        """Ask."""
        self._stop.ask()


class KeptSpy:
    """Measures what a strategy stores against what it declares.

    Attributes:
        stored: the largest size of the tensors of `state_dict`, in bytes.
        declared: the largest sum of `kept`.
    """

    def __init__(self) -> None:
        self.stored = self.declared = 0

    @hookimpl(wrapper=True)
    def cilsim_train_experience(self, strategy: Strategy) -> Generator[None, Any, Any]:
        """Measure after learning."""
        result = yield
        self.stored = max(self.stored, tensor_bytes(strategy.state_dict()))
        self.declared = max(self.declared, sum(strategy.kept().values()))
        return result


class SampleSpy:
    """Notes a checksum of the samples before and after learning."""

    def __init__(self) -> None:
        self.before: list[str] = []
        self.after: list[str] = []

    @hookimpl(wrapper=True)
    def cilsim_train_experience(self, experience: Experience) -> Generator[None, Any, Any]:
        """Look at them before and after."""
        self.before.append(_checksum(experience))
        result = yield
        self.after.append(_checksum(experience))
        return result


class LabelSpy:
    """Looks for labels where there must be none.

    Attributes:
        unlabelled_parts: how many experiences had an unlabelled part.
        leaks: how many of these came with labels, and how many labelled parts had samples of
            classes that no experience so far labels.
    """

    def __init__(self) -> None:
        self.unlabelled_parts = self.leaks = 0

    @hookimpl
    def cilsim_train_experience(self, experience: Experience) -> None:
        """Look at both parts."""
        if experience.unlabelled is not None:
            self.unlabelled_parts += 1
            self.leaks += experience.unlabelled.labels is not None
        if experience.train is not None:
            labels = experience.train.labels
            self.leaks += labels is None or int(labels.max()) >= experience.seen_classes


def tensor_bytes(state: Any) -> int:
    """Return the size of all tensors in nested data."""
    if isinstance(state, Mapping):
        return sum(tensor_bytes(value) for value in state.values())
    if isinstance(state, list | tuple):
        return sum(tensor_bytes(value) for value in state)
    return state.numel() * state.element_size() if hasattr(state, "numel") else 0


def _checksum(experience: Experience) -> str:
    digest = sha256()
    for part in (experience.train, experience.unlabelled):
        for tensor in _tensors(part):
            digest.update(tensor.cpu().numpy().tobytes())
    return digest.hexdigest()


def _tensors(part: Samples | None) -> list[Any]:
    if part is None:
        return []
    return [part.x, part.index, *([] if part.labels is None else [part.labels])]
