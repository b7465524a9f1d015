"""The contract of a strategy on streams in which some classes come without labels."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar

import numpy as np
import pytest

from cilsim.testing.project import Project
from cilsim.testing.promises import StrategyPromises
from cilsim.testing.spies import LabelSpy

Sections = Mapping[str, Any]

RING_STREAMS: Mapping[str, Sections] = MappingProxyType(
    {
        "novel_class_discovery": {"labelled_classes": 4, "novel_classes": 6, "stages": 2},
        "generalized_category_discovery": {"old_classes": 6, "novel_classes": 4},
        "continual_category_discovery": {
            "old_classes": 4,
            "stages": 2,
            "new_samples": 50,
            "seen_samples": 10,
        },
        "mixed": {
            "stages": [
                {"classes": 4},
                {"classes": 3, "labelled": 0, "seen_samples": 10},
                {"classes": 3},
            ]
        },
    }
)
"""Options of each stream kind on the ring, whose ten classes have 60 samples each."""

ONE_NOVEL_CLASS: Mapping[str, Sections] = MappingProxyType(
    {
        "novel_class_discovery": {"labelled_classes": 4, "novel_classes": 2, "stages": 2},
        "generalized_category_discovery": {"old_classes": 6, "novel_classes": 1},
        "continual_category_discovery": {
            **RING_STREAMS["continual_category_discovery"],
            "novel_classes": 2,
        },
        "mixed": {"stages": [{"classes": 4}, {"classes": 1, "labelled": 0, "seen_samples": 10}]},
    }
)
"""The same with a single class to discover in each stage."""


class DiscoveryContract(StrategyPromises):
    """What a strategy of novel discovery must keep to; one subclass per stream kind served.

    Predictions are cluster ids, which the metrics match to classes.

    Attributes:
        kind: the stream kind.
        bar: the least accuracy on old and on new classes of the ring, after matching.
    """

    kind: ClassVar[str] = "novel_class_discovery"
    bar: ClassVar[float] = 0.5

    def stream(self) -> dict[str, Any]:
        """Return options of the stream on the ring."""
        return {"kind": self.kind, **RING_STREAMS[self.kind]}

    def test_finds_the_classes_of_the_ring(self, project: Project) -> None:
        """After matching, most samples of old and of novel classes are right."""
        metrics = self.run(project).metrics()
        last = max(experience for experience, _ in metrics)
        assert metrics[last, "A_base"] > self.bar
        assert metrics[last, "A_novel"] > self.bar

    def test_predicts_one_whole_number_per_sample(self, project: Project) -> None:
        """Cluster ids are integers, as many as there are test and unlabelled samples."""
        files = self.run(project)
        test, unlabelled = files.predictions(), files.unlabelled_predictions()
        assert [len(stored["predicted"]) for stored in test] == [
            30 * len(np.unique(stored["label"])) for stored in test
        ]
        assert any(len(stored["predicted"]) for stored in unlabelled)
        for stored in [*test, *unlabelled]:
            assert len(stored["predicted"]) == len(stored["label"])

    def test_gets_no_label_of_an_unlabelled_sample(self, project: Project) -> None:
        """Unlabelled parts come without labels, and no labelled one is of a novel class."""
        spy = LabelSpy()
        outcome = project.run(self.scenario(project), reporters=lambda start: [spy])
        assert not outcome.failures
        assert spy.unlabelled_parts > 0
        assert spy.leaks == 0

    def test_one_novel_class_per_stage(self, project: Project) -> None:
        """Stages with a single class to discover run."""
        files = self.run(project, stream={"kind": self.kind, **ONE_NOVEL_CLASS[self.kind]})
        assert "A_novel" in {name for _, name in files.metrics()}

    @pytest.mark.parametrize(
        "number", [{"over": 1.5}, {"estimate": "published", "at_most": 8}], ids=["over", "estimate"]
    )
    def test_runs_without_being_told_the_number_of_classes(
        self, project: Project, number: Sections
    ) -> None:
        """Too many classes, or an estimate, give a result too, and its error is reported."""
        files = self.run(project, stream={**self.stream(), "number_of_classes": number})
        metrics = files.metrics()
        last = max(experience for experience, _ in metrics)
        found, true = metrics[last, "classes_found"], 10
        assert metrics[last, "classes_error"] == found - true
        if "over" in number:
            assert found > true
        assert metrics[last, "A_all"] > 0.2
