from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from cilsim.errors import ScenarioError
from cilsim.testing import Project, StrategyContract, write_ring
from cilsim_ranpac.options import RanpacOptions
from cilsim_ranpac.projection import draw_projection, random_features


class TestRanpac(StrategyContract):
    strategy = "ranpac"
    options = {"random_features": 64}

    def test_reports_the_penalty_of_each_experience(self, project: Project) -> None:
        metrics = self.run(project).metrics()
        assert [key[0] for key in metrics if key[1] == "ranpac/ridge"] == [0, 1, 2, 3, 4]


class TestRanpacPilot(StrategyContract):
    strategy = "ranpac"
    options = {"preset": "pilot", "random_features": 64}


class TestRanpacWithAGivenPenaltyOnTheRingItself(StrategyContract):
    strategy = "ranpac"
    options = {"random_features": 100, "ridge": 1.0}
    changes = {"backbone": "identity"}

    def test_forgets_nothing(self, project: Project) -> None:
        assert self.run(project).accuracy_matrix()[-1].min() >= 0.95

    def test_the_split_into_experiences_does_not_matter(self, project: Project) -> None:
        """With one penalty the last weights are those of all samples at once."""
        last = []
        for experiences in (1, 5, 10):
            stream = {"kind": "class_incremental", "experiences": experiences}
            files = self.run(project, f"split-{experiences}", stream=stream)
            last.append(files.predictions()[-1])
        for stored in last[1:]:
            assert stored["index"].tolist() == last[0]["index"].tolist()
            assert stored["predicted"].tolist() == last[0]["predicted"].tolist()

    def test_domains_one_after_another_equal_all_samples_at_once(self, project: Project) -> None:
        """With one penalty the sums of domains are those of one joint pass."""
        write_ring(project.folder / "ring.npz", domains=True)
        weights = []
        for name, stream in (
            ("domains", {"kind": "domain_incremental"}),
            ("joint", {"kind": "domain_incremental", "domains_per_experience": 3}),
        ):
            self.run(project, name, stream=stream)
            folder = project.folder / f"runs/{name}/ranpac/seed-0/checkpoints"
            last = max(folder.glob("experience-*")) / "tensors.safetensors"
            tensors = load_file(last)
            weights.append(next(value for key, value in tensors.items() if "weights" in key))
        assert weights[0].numel() == 100 * 10
        torch.testing.assert_close(weights[0], weights[1], rtol=1e-4, atol=1e-6)

    def test_keeps_sums_projection_and_weights(self, project: Project) -> None:
        outcome = project.run(self.scenario(project))
        kept = [dict(evaluation.kept) for evaluation in outcome.results[0].evaluations]
        assert kept == [
            {
                "sums": 8 * (100 * 100 + 100 * classes),
                "projection": 4 * 2 * 100,
                "weights": 4 * 100 * classes,
            }
            for classes in (2, 4, 6, 8, 10)
        ]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project.create(tmp_path)


def test_a_run_predicts_what_the_official_code_predicts(project: Project, golden: Path) -> None:
    """Without projection, after the tasks in which the code chose the penalty 100."""
    arrays = dict(np.load(golden / "ranpac_official_cil_M0.npz", allow_pickle=False))
    np.savez(
        project.folder / "features.npz",
        x_train=arrays["x_train"],
        y_train=arrays["y_train_raw"],
        x_test=arrays["x_test"],
        y_test=arrays["y_test_raw"],
    )
    scenario = {
        "stream": {
            "dataset": {"name": "arrays", "path": "features.npz"},
            "kind": "class_incremental",
            "experiences": 5,
        },
        "class_order": {"list": arrays["class_order"].tolist()},
        "backbone": "identity",
        "strategy": {"name": "ranpac", "random_features": 0, "ridge": 100},
    }
    assert not project.run(scenario).failures
    predictions = project.files("toy", "ranpac").predictions()
    compared = [task for task in range(5) if float(arrays[f"t{task}_ridge"]) == 100.0]
    assert compared == [0, 1, 3, 4]
    for task in compared:
        stored = predictions[task]
        by_index = dict(zip(stored["index"].tolist(), stored["predicted"].tolist(), strict=True))
        rows = arrays[f"t{task}_test_index"].tolist()
        assert [by_index[row] for row in rows] == arrays[f"t{task}_pred"].tolist()


def test_presets_are_defaults_that_single_options_override() -> None:
    pilot = RanpacOptions(preset="pilot", random_features=256)
    assert (pilot.head, pilot.ridge, pilot.random_features) == ("cosine", "per_experience", 256)
    official = RanpacOptions(preset="official")
    assert (official.head, official.random_features) == ("linear", 10_000)
    assert RanpacOptions() == RanpacOptions(preset="safe")
    assert RanpacOptions.model_validate(pilot.model_dump()) == pilot


def test_projection_is_standard_normal_and_not_scaled() -> None:
    projection = draw_projection(64, 4000, torch.Generator().manual_seed(0))
    assert projection.shape == (64, 4000)
    assert float(projection.std()) == pytest.approx(1.0, abs=0.01)


def test_random_features_by_hand() -> None:
    features = torch.tensor([[1.0, 2.0]])
    projection = torch.tensor([[1.0, -1.0], [1.0, 0.0]])
    assert random_features(features, projection).tolist() == [[3.0, 0.0]]
    assert random_features(features, None) is features


def test_a_penalty_of_zero_is_refused(project: Project) -> None:
    with pytest.raises(ScenarioError) as caught:
        project.run(project.ring_scenario({"name": "ranpac", "ridge": 0}))
    assert [problem.message for problem in caught.value.problems] == [
        "must be greater than 0, found 0"
    ]


def test_an_unknown_choice_of_the_penalty_is_refused(project: Project) -> None:
    with pytest.raises(ScenarioError) as caught:
        project.run(project.ring_scenario({"name": "ranpac", "ridge": "acumulated"}))
    assert [problem.message for problem in caught.value.problems] == [
        "expected 'accumulated', 'per_experience' or a number, found 'acumulated'; "
        "did you mean 'accumulated'?"
    ]
