"""The contract of a strategy that is registered with `repeated_classes=True`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cilsim.testing.project import Project
from cilsim.testing.promises import StrategyPromises
from cilsim.testing.ring import write_ring


class DomainContract(StrategyPromises):
    """What a strategy that can learn more of seen classes must keep to, besides its own contract.

    All ten classes of the ring come in each of three experiences, as their inner, middle and
    outer thirds.
    """

    @pytest.fixture
    def project(self, tmp_path: Path) -> Project:
        """A project with the ring, its domains, and the strategy's plugin."""
        project = Project.create(tmp_path, self.plugins)
        write_ring(tmp_path / "ring.npz", domains=True)
        return project

    def stream(self) -> dict[str, Any]:
        """Return options of the stream on the ring."""
        return {"kind": "domain_incremental"}

    def test_knows_every_domain_at_the_end(self, project: Project) -> None:
        """Learning one domain after another keeps all of them above chance."""
        assert self.run(project).accuracy_matrix()[-1].min() > 0.5

    def test_has_scores_for_all_classes_from_the_first_experience_on(
        self, project: Project
    ) -> None:
        """Later experiences bring samples, not classes."""
        labels = [set(stored["label"].tolist()) for stored in self.run(project).predictions()]
        assert labels == [set(range(10))] * 3

    def test_a_fixed_test_set(self, project: Project) -> None:
        """A stream that is tested on one domain throughout runs."""
        stream = {**self.stream(), "test": {"fixed": ["outer"]}}
        files = self.run(project, stream=stream)
        assert [len(stored["label"]) for stored in files.predictions()] == [100, 100]
        assert files.metrics()[1, "A_all"] > 0.5
