from __future__ import annotations

import numpy as np
import pytest

from cilsim.testing import DiscoveryContract, Project

SMALL = {"hidden": 16, "bottleneck": 8, "outputs": 32, "inits": 5}


class TestGeneralisedDiscovery(DiscoveryContract):
    strategy = "gcd"
    kind = "generalized_category_discovery"
    options = SMALL


class TestNovelClasses(DiscoveryContract):
    strategy = "gcd"
    options = SMALL


class OnThePlane(DiscoveryContract):
    """Frozen features that need no training: what is tested is the clustering."""

    strategy = "gcd"
    options = {**SMALL, "contrastive": False}
    changes = {"backbone": "identity"}
    bar = 0.95


class TestFrozenGeneralisedDiscovery(OnThePlane):
    kind = "generalized_category_discovery"

    def test_unlabelled_samples_are_those_of_the_clustering(self, project: Project) -> None:
        (stored,) = self.run(project).unlabelled_predictions()
        assert len(np.unique(stored["predicted"])) == 10


class TestFrozenContinualDiscovery(OnThePlane):
    kind = "continual_category_discovery"


class TestFrozenMixedStages(OnThePlane):
    kind = "mixed"


class TestKeptLabels(OnThePlane):
    def stream(self) -> dict[str, object]:
        return {**super().stream(), "keep_labelled": True}


def test_the_base_is_shared_with_strategies_that_train_it_plainly(
    caplog: pytest.LogCaptureFixture, tmp_path: object
) -> None:
    caplog.set_level("INFO", logger="cilsim.strategy.base_training")
    project = Project.create(tmp_path)  # type: ignore[arg-type]
    scenario = project.ring_scenario(
        None, {"kind": "generalized_category_discovery", "old_classes": 6}
    )
    del scenario["strategy"]
    scenario["strategies"] = ["kmeans_discovery", {"name": "gcd", **SMALL}]
    assert not project.run(scenario).failures
    reused = [record.message for record in caplog.records if "reused" in record.message]
    assert len(reused) == 1
