from __future__ import annotations

import pytest

from cilsim.testing import Project, StrategyContract


class TestJoint(StrategyContract):
    strategy = "joint"

    @pytest.mark.parametrize("from_scratch", [True, False], ids=["afresh", "going on"])
    def test_is_right_on_the_whole_ring(self, project: Project, from_scratch: bool) -> None:
        strategy = {"name": "joint", "from_scratch": from_scratch}
        project.run(project.ring_scenario(strategy))
        assert project.files("toy", "joint").accuracy_matrix()[-1].min() > 0.95

    def test_declares_the_bytes_of_all_samples_seen(self, project: Project) -> None:
        outcome = project.run(self.scenario(project))
        kept = [evaluation.kept["exemplars"] for evaluation in outcome.results[0].evaluations]
        two_classes = 2 * 60 * (2 * 4 + 8)  # classes, samples of each, two float32 and a label
        assert kept == [two_classes * seen for seen in (1, 2, 3, 4, 5)]

    def test_goes_on_from_the_last_network_unless_told_otherwise(self, project: Project) -> None:
        steps = {}
        for from_scratch in (True, False):
            recipe = {"epochs": 1, "batch_size": 120, "lr": 0.05}
            strategy = {"name": "joint", "as": str(from_scratch), "from_scratch": from_scratch}
            scenario = project.ring_scenario(strategy, training=recipe)
            outcome = project.run(scenario, str(from_scratch))
            steps[from_scratch] = outcome.results[0].final["A_all"]
        assert steps[True] > steps[False]  # afresh uses the base recipe's ten epochs
