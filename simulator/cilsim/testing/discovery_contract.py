"""The contract of a strategy on streams whose later experiences have no labels."""

from __future__ import annotations

from typing import Any

import numpy as np

from cilsim.testing.project import Project
from cilsim.testing.promises import StrategyPromises
from cilsim.testing.spies import LabelSpy


class DiscoveryContract(StrategyPromises):
    """What a strategy of novel class discovery must keep to.

    The ring has four labelled classes and two stages of three novel ones; predictions are cluster
    ids, which the metrics match to classes.
    """

    def stream(self) -> dict[str, Any]:
        """Return options of the stream on the ring."""
        kind = "novel_class_discovery"
        return {"kind": kind, "labelled_classes": 4, "novel_classes": 6, "stages": 2}

    def test_finds_the_classes_of_the_ring(self, project: Project) -> None:
        """After matching, most samples of labelled and of novel classes are right."""
        metrics = self.run(project).metrics()
        assert metrics[2, "A_base"] > 0.5
        assert metrics[2, "A_novel"] > 0.5

    def test_predicts_one_whole_number_per_test_sample(self, project: Project) -> None:
        """Cluster ids are integers, as many as there are test samples."""
        sizes = [len(stored["predicted"]) for stored in self.run(project).predictions()]
        assert sizes == [120, 210, 300]

    def test_gets_no_label_of_a_novel_class(self, project: Project) -> None:
        """Later experiences come without labels."""
        spy = LabelSpy()
        outcome = project.run(self.scenario(project), reporters=lambda start: [spy])
        assert not outcome.failures
        assert spy.labelled == [True, False, False]

    def test_one_novel_class_per_stage(self, project: Project) -> None:
        """Stages of a single class run."""
        stream = {**self.stream(), "stages": 6}
        clusters = [
            len(np.unique(stored["predicted"]))
            for stored in self.run(project, stream=stream).predictions()
        ]
        assert len(clusters) == 7
        assert clusters[-1] > clusters[0]
