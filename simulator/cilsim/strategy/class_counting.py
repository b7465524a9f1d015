"""How many classes there are to discover: what a strategy is told, or an estimate.

Axis letters: N samples, D features, C classes with labels.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from cilsim.prototypes.means import class_means
from cilsim.scenario.class_count import EstimatedCount
from cilsim.solvers.class_count import ClassCountEstimate, estimate_class_count
from cilsim.strategy.experience import Experience
from cilsim.strategy.feature_services import FeatureServices
from cilsim.strategy.strategy import bytes_of

logger = logging.getLogger(__name__)


@dataclass
class ClassCounter:
    """Answers once per experience, so that a strategy may ask as often as it likes.

    Where nothing is told, the estimate needs to know what a class looks like. Labelled samples of
    the experience say so; where they are gone, the mean and standard deviation of each labelled
    class, kept from the experience that brought it.

    Attributes:
        told: how many novel classes the strategy is told at each experience; None is nothing.
        estimation: how the number is estimated where nothing is told.
        asked: whether the number of the current experience was asked for.
        answer: that number.
        kept: `means` and `spreads` (C, D) of labelled classes, if any estimate needs them.
    """

    told: tuple[int | None, ...]
    estimation: EstimatedCount
    asked: bool = False
    answer: int = 0
    kept: Mapping[str, Tensor] | None = None

    def begin(self) -> None:
        """Forget the answer of the experience before."""
        self.asked, self.answer = False, 0

    def number(self, services: FeatureServices, experience: Experience) -> int:
        """Return the number of novel classes of an experience."""
        told = self.told[experience.index]
        self.answer = self._estimate(services, experience) if told is None else told
        self.asked = True
        return self.answer

    def note(self, services: FeatureServices, experience: Experience) -> None:
        """Keep what labelled classes look like, if a later estimate will need it."""
        later = self.told[experience.index + 1 :]
        if None not in later or experience.train is None or not experience.new_classes:
            return
        features_ND, labels_N = _labelled_features(services, experience)
        means_CD = class_means(features_ND, labels_N, experience.new_labels)
        squares_CD = class_means(features_ND.square(), labels_N, experience.new_labels)
        spreads_CD = (squares_CD - means_CD.square()).clamp_min(0.0).sqrt()
        before = self.kept or {"means": means_CD[:0], "spreads": spreads_CD[:0]}
        self.kept = {
            "means": torch.cat([before["means"], means_CD]),
            "spreads": torch.cat([before["spreads"], spreads_CD]),
        }

    def bytes_kept(self) -> dict[str, int]:
        """Return the bytes that are kept for estimates, by kind."""
        if self.kept is None:
            return {}
        return {"class statistics": sum(bytes_of(tensor) for tensor in self.kept.values())}

    def state_dict(self) -> dict[str, Any]:
        """Return what must survive an interruption."""
        return {"kept": self.kept}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over what `state_dict` returned."""
        self.kept = state["kept"]

    def _estimate(self, services: FeatureServices, experience: Experience) -> int:
        assert experience.unlabelled is not None  # the context looked
        disjoint = services.run.stream.kind == "novel_class_discovery"
        points_LD, classes_L, spread = self._labelled_side(services, experience)
        anchors = int(torch.unique(classes_L).numel())
        known = anchors if disjoint else experience.seen_classes
        found = estimate_class_count(
            F.normalize(services.features(experience.unlabelled)),
            points_LD,
            classes_L,
            method=self.estimation.estimate,
            at_least=known + 1,
            at_most=known + min(self.estimation.at_most, len(experience.unlabelled)),
            generator=services.generator("number of classes"),
            spread=spread,
            disjoint=disjoint,
        )
        self._say(experience, found, found.classes - known)
        return found.classes - known

    def _labelled_side(
        self, services: FeatureServices, experience: Experience
    ) -> tuple[Tensor, Tensor, Tensor | None]:
        if experience.train is not None:
            return (*_labelled_features(services, experience), None)
        assert self.kept is not None  # the first experience has labels
        means_CD = self.kept["means"]
        return means_CD, torch.arange(len(means_CD)).to(means_CD.device), self.kept["spreads"]

    def _say(self, experience: Experience, found: ClassCountEstimate, novel: int) -> None:
        hit = ", at the edge of what was considered" if found.at_bound else ""
        logger.info(
            "experience %d: %d novel classes estimated (%s)%s",
            experience.index,
            novel,
            self.estimation.estimate,
            hit,
        )


def _labelled_features(services: FeatureServices, experience: Experience) -> tuple[Tensor, Tensor]:
    samples = experience.labelled
    assert samples.labels is not None  # `labelled` never returns a part without labels
    return F.normalize(services.features(samples)), samples.labels
