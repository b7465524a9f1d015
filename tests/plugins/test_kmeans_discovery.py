from __future__ import annotations

import pytest

from cilsim.testing import DiscoveryContract, Project


class TestKMeansDiscovery(DiscoveryContract):
    strategy = "kmeans_discovery"

    def test_keeps_one_vector_per_class_or_cluster(self, project: Project) -> None:
        outcome = project.run(self.scenario(project))
        kept = [dict(evaluation.kept) for evaluation in outcome.results[0].evaluations]
        assert kept == [{"prototypes": vectors * 32 * 4} for vectors in (4, 7, 10)]


class OnThePlane(DiscoveryContract):
    """Ten separate clouds in the plane: k-means has nothing to get wrong."""

    strategy = "kmeans_discovery"
    options = {"normalise": False}
    changes = {"backbone": "identity"}
    bar = 0.95


class TestNovelClasses(OnThePlane):
    def test_is_right_about_all_classes(self, project: Project) -> None:
        metrics = self.run(project).metrics()
        assert metrics[2, "A_all"] > 0.98
        assert metrics[2, "clusters"] == 10.0

    def test_reports_the_inertia_of_each_stage(self, project: Project) -> None:
        metrics = self.run(project).metrics()
        reported = [key for key in metrics if key[1] == "kmeans/inertia"]
        assert reported == [(1, "kmeans/inertia"), (2, "kmeans/inertia")]
        expected = 180 * 2 * 0.25**2  # samples, dimensions, variance of each
        assert metrics[1, "kmeans/inertia"] == pytest.approx(expected, rel=0.15)


class TestGeneralisedDiscovery(OnThePlane):
    kind = "generalized_category_discovery"

    def test_unlabelled_samples_are_scored_too(self, project: Project) -> None:
        metrics = self.run(project).metrics()
        assert metrics[0, "transductive/A_old"] > 0.98
        assert metrics[0, "transductive/A_new"] > 0.98


class TestContinualDiscovery(OnThePlane):
    kind = "continual_category_discovery"


class TestMixedStages(OnThePlane):
    kind = "mixed"
