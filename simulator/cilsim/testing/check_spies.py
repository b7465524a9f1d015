"""Plugins that watch a run on behalf of `cilsim plugin check`."""

from __future__ import annotations

from collections.abc import Generator
from hashlib import sha256
from typing import Any

import torch

from cilsim.errors import CheckpointError
from cilsim.hookspecs import hookimpl
from cilsim.results.packing import pack_state
from cilsim.runner.interruption import StopRequest
from cilsim.strategy import FeatureSet, Strategy


class ShapeSpy:
    """Notes what `scores` and `assign` return.

    Attributes:
        seen: the number of classes that scores were over at each call, without repetitions.
        assigned: how often ids were asked for.
        wrong: what had another shape than expected.
    """

    def __init__(self) -> None:
        self.seen: list[int] = []
        self.assigned = 0
        self.wrong: list[str] = []

    @hookimpl(wrapper=True)
    def cilsim_scores(self, strategy: Strategy, features: Any) -> Generator[None, Any, Any]:
        """Look at scores, (B, K)."""
        scores = yield
        classes = strategy.context.seen_classes
        self._note(scores, (len(features), classes))
        if self.seen[-1:] != [classes]:
            self.seen.append(classes)
        return scores

    @hookimpl(wrapper=True)
    def cilsim_assign(
        self, strategy: Strategy, feature_set: FeatureSet
    ) -> Generator[None, Any, Any]:
        """Look at ids, (N,)."""
        ids = yield
        self._note(ids, (len(feature_set.features),))
        self.assigned += 1
        return ids

    def _note(self, returned: Any, expected: tuple[int, ...]) -> None:
        if tuple(returned.shape) != expected:
            self.wrong.append(f"{tuple(returned.shape)} where {expected} is expected")


class StateSpy:
    """Notes a checksum of everything that was learnt, after each experience.

    Attributes:
        digests: of backbone, head and `state_dict`.
        complaint: why the state cannot be stored, or nothing.
    """

    def __init__(self) -> None:
        self.digests: list[str] = []
        self.complaint = ""

    @hookimpl(wrapper=True)
    def cilsim_train_experience(self, strategy: Strategy) -> Generator[None, Any, Any]:
        """Look at the state after learning."""
        result = yield
        context = strategy.context
        try:
            own = pack_state(strategy.state_dict())
        except CheckpointError as error:
            self.complaint = str(error)
            return result
        modules = {"backbone": context.backbone, "head": context.head}
        weights = {name: dict(module.state_dict()) for name, module in modules.items()}
        self.digests.append(_digest(own, pack_state(weights)))
        return result


def _digest(*packed: tuple[dict[str, Any], Any]) -> str:
    digest = sha256()
    for tensors, plain in packed:
        digest.update(repr(plain).encode())
        for name, tensor in sorted(tensors.items()):
            digest.update(name.encode())
            digest.update(tensor.contiguous().view(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


class CountedStop(StopRequest):
    """Asks the run to stop when it looks for the n-th time whether somebody did.

    Attributes:
        looks: how often the run looked.
        at: the look that says stop; 0 for none.
    """

    def __init__(self, at: int = 0) -> None:
        super().__init__()
        self.looks, self.at = 0, at

    def __call__(self) -> bool:
        """Count, and return whether the time has come."""
        self.looks += 1
        if self.looks == self.at:
            self.ask()
        return super().__call__()
