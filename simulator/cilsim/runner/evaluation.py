"""Evaluating a strategy over all classes seen so far, in one pass.

Axis letters: N samples, B batch, D features, K classes seen.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np
import torch
from torch import Tensor

from cilsim.data.batch_reading import across, consecutive
from cilsim.data.normalise import prepare
from cilsim.data.samples import Samples
from cilsim.errors import RunFailed
from cilsim.records import IntArray, Predictions, RunInfo
from cilsim.runner.expectations import Expectations
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
        expectations: what is asked of answers.
    """

    run: RunInfo
    hook: Any
    strategy: Strategy
    materials: Materials
    features: Features
    batch_size: int
    expectations: Expectations

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
        found = [self.features(part) for part in parts]
        features_ND = torch.cat(found) if len(found) > 1 else found[0]  # `cat` copies one too
        feature_set = FeatureSet(features_ND, self.strategy.context.seen_classes, name)
        self.expectations.shape = (len(features_ND),)
        assigned_N: Tensor = self.hook.cilsim_assign(
            run=self.run, strategy=self.strategy, feature_set=feature_set
        )
        return assigned_N

    def _score(self, parts: list[Samples], after: int) -> Tensor:
        seen = self.run.stream.experiences[after].seen
        predicted, undefined = [], []
        for x in self._batches(parts):
            best = self._scores(x, seen).max(1)  # the first of equal ones; NaN if there is any
            predicted.append(best.indices)
            undefined.append(best.values.isnan().any())
        undefined_P = torch.stack(undefined)
        if bool(undefined_P.any()):  # one look at the device for all batches
            self._explain_nan(parts, seen, int(undefined_P.int().argmax()))
        return torch.cat(predicted)

    def _scores(self, x: Tensor, seen: int) -> Tensor:
        self.expectations.shape = (len(x), seen)
        scores_BK: Tensor = self.hook.cilsim_scores(
            run=self.run, strategy=self.strategy, features=x
        )
        return scores_BK

    def _explain_nan(self, parts: list[Samples], seen: int, place: int) -> NoReturn:
        """Ask again for one batch of scores, looking at each answer, so that its giver is named."""
        x = next(itertools.islice(self._batches(parts), place, None))
        if bool(x.isnan().any()):
            raise RunFailed(
                f"strategy '{self.run.strategy}': the backbone's features hold NaN; "
                "a smaller 'lr' or 'clip_gradient_norm' may help"
            )
        self.expectations.finite = True
        self._scores(x, seen)
        raise RunFailed(f"strategy '{self.run.strategy}': scores() returned NaN")

    def _batches(self, parts: list[Samples]) -> Iterator[Tensor]:
        if self.strategy.scores_images:
            for part in parts:
                for images in consecutive(part.x, self.batch_size, part.device):
                    yield prepare(images, part)
        else:
            yield from across([self.features(part) for part in parts], self.batch_size)


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
