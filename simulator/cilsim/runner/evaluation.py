"""Evaluating a strategy over all classes seen so far, in one pass.

Axis letters: N samples, B batch, D features, K classes seen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from cilsim.data.normalise import prepare
from cilsim.data.samples import Samples
from cilsim.errors import RunFailed
from cilsim.records import IntArray, Predictions, RunInfo
from cilsim.runner.materials import Materials
from cilsim.strategy import FeatureSet, Strategy

Features = Callable[[Samples], Tensor]


@dataclass
class Evaluator:
    """Predicts the test samples of all classes seen; draws no random number, changes no weight.

    Attributes:
        run: facts about the run.
        hook: hook callers of the run's plugin manager.
        strategy: the strategy object.
        materials: gives the test samples.
        features: features of samples under the test transform, cached.
        batch_size: samples per call of `cilsim_scores`.
    """

    run: RunInfo
    hook: Any
    strategy: Strategy
    materials: Materials
    features: Features
    batch_size: int

    @torch.inference_mode()
    def predict(self, after: int) -> Predictions:
        """Return predictions after experience `after` for all test samples of classes seen."""
        parts = [self.materials.test(index) for index in range(after + 1)]
        parts = [part for part in parts if len(part)]  # with a fixed test set only the first has
        matched = any(info.unlabelled for info in self.run.stream.experiences[: after + 1])
        predicted_N = self._assign(parts, "test") if matched else self._score(parts, after)
        label_N = torch.cat([_labels(part) for part in parts]).cpu().numpy()
        return _predictions(after, parts, label_N, predicted_N)

    @torch.inference_mode()
    def predict_unlabelled(self, after: int, unlabelled: Samples | None) -> Predictions | None:
        """Return predictions for the unlabelled samples of experience `after`, if it has any."""
        if unlabelled is None:
            return None
        predicted_N = self._assign([unlabelled], "unlabelled")
        return _predictions(after, [unlabelled], self.materials.hidden_labels(after), predicted_N)

    def _assign(self, parts: list[Samples], name: str) -> Tensor:
        features_ND = torch.cat([self.features(part) for part in parts])
        feature_set = FeatureSet(features_ND, self.strategy.context.seen_classes, name)
        assigned_N = self.hook.cilsim_assign(
            run=self.run, strategy=self.strategy, feature_set=feature_set
        )
        expected = (len(features_ND),)
        if not isinstance(assigned_N, Tensor) or tuple(assigned_N.shape) != expected:
            raise RunFailed(self._complaint("assign", assigned_N, expected))
        return assigned_N

    def _score(self, parts: list[Samples], after: int) -> Tensor:
        seen = self.run.stream.experiences[after].seen
        predicted, undefined = [], []
        for x in self._batches(parts):
            scores_BK = self.hook.cilsim_scores(run=self.run, strategy=self.strategy, features=x)
            expected = (len(x), seen)
            if not isinstance(scores_BK, Tensor) or tuple(scores_BK.shape) != expected:
                raise RunFailed(self._complaint("scores", scores_BK, expected))
            best = scores_BK.max(1)  # the first of equal ones; NaN if there is any
            predicted.append(best.indices)
            undefined.append(best.values.isnan().any())
        if bool(torch.stack(undefined).any()):  # one look at the device for all batches
            raise RunFailed(f"strategy '{self.run.strategy}': scores() returned NaN")
        return torch.cat(predicted)

    def _batches(self, parts: list[Samples]) -> Iterator[Tensor]:
        if self.strategy.scores_images:
            for part in parts:
                for images in torch.split(part.x, self.batch_size):
                    yield prepare(images, part)
        else:
            features_ND = torch.cat([self.features(part) for part in parts])
            yield from torch.split(features_ND, self.batch_size)

    def _complaint(self, method: str, found: object, expected: tuple[int, ...]) -> str:
        shape = tuple(found.shape) if isinstance(found, Tensor) else type(found).__name__
        return (
            f"strategy '{self.run.strategy}': {method}() returned {shape}, "
            f"expected a tensor of shape {expected}"
        )


def _predictions(
    after: int, parts: list[Samples], label_N: IntArray, predicted_N: Tensor
) -> Predictions:
    return Predictions(
        experience=after,
        index=np.concatenate([part.index.numpy() for part in parts]),
        label=label_N,
        predicted=predicted_N.to(torch.int64).cpu().numpy(),
    )


def _labels(part: Samples) -> Tensor:
    assert part.labels is not None  # test parts always have labels
    return part.labels
