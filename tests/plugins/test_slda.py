from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from cilsim.errors import ScenarioError
from cilsim.testing import Project, StrategyContract, ring


class TestSlda(StrategyContract):
    strategy = "slda"


class TestSldaFromScratchOnTheRingItself(StrategyContract):
    strategy = "slda"
    options = {"base_phase": False}
    changes = {"backbone": "identity"}

    def test_forgets_nothing(self, project: Project) -> None:
        """The classes of the ring share their covariance: the discriminant is right for all."""
        assert self.run(project).accuracy_matrix()[-1].min() >= 0.98

    def test_keeps_two_vectors_per_class_and_one_matrix(self, project: Project) -> None:
        outcome = project.run(self.scenario(project))
        kept = [dict(evaluation.kept) for evaluation in outcome.results[0].evaluations]
        assert kept == [
            {"prototypes": classes * 2 * 4, "means": classes * 2 * 8, "covariances": 2 * 2 * 8}
            for classes in (2, 4, 6, 8, 10)
        ]


class TestSldaFixed(StrategyContract):
    strategy = "slda"
    options = {"covariance": "fixed"}
    changes = {"backbone": "identity"}


def test_a_run_predicts_what_avalanche_predicts(tmp_path: Path, golden: Path) -> None:
    """Predictions of avalanche's StreamingLDA, seen columns, after each of five tasks."""
    arrays = dict(np.load(golden / "slda_avalanche_plastic_scratch.npz", allow_pickle=False))
    order = np.concatenate([arrays[f"t{task}_train_order"] for task in range(5)])
    np.savez(
        tmp_path / "features.npz",
        x_train=arrays["x_train"][order],
        y_train=arrays["y_train_raw"][order],
        x_test=arrays["x_test"],
        y_test=arrays["y_test_raw"],
    )
    project = Project.create(tmp_path)
    outcome = project.run(
        {
            "stream": {
                "dataset": {"name": "arrays", "path": "features.npz"},
                "kind": "class_incremental",
                "experiences": 5,
            },
            "class_order": {"list": arrays["class_order"].tolist()},
            "backbone": "identity",
            "strategy": {"name": "slda", "base_phase": False, "stream_order": "as_stored"},
        }
    )
    assert not outcome.failures
    for task, stored in enumerate(project.files("toy", "slda").predictions()):
        expected = arrays[f"t{task}_pred_seen_columns"][stored["index"]]
        np.testing.assert_array_equal(stored["predicted"], expected)


def test_the_order_of_the_stream_is_drawn_from_the_seed(project: Project) -> None:
    options = {"name": "slda", "base_phase": False, "shrinkage": 0.5}
    seeds = project.run(project.ring_scenario(options, backbone="identity", seeds=[0, 1]))
    assert not seeds.failures
    states = [
        next((project.folder / f"runs/toy/slda/seed-{seed}/checkpoints").glob("*-04"))
        for seed in (0, 1)
    ]
    from safetensors.torch import load_file

    scatters = []
    for state in states:
        tensors = load_file(state / "tensors.safetensors")
        scatters.append(next(value for name, value in tensors.items() if "scatter" in name))
    assert scatters[0].shape == scatters[1].shape == torch.Size([2, 2])
    assert not torch.equal(scatters[0], scatters[1])


def test_a_fixed_covariance_without_a_base_is_refused(project: Project) -> None:
    options = {"name": "slda", "covariance": "fixed", "base_phase": False}
    with pytest.raises(ScenarioError) as caught:
        project.run(project.ring_scenario(options))
    assert [problem.message for problem in caught.value.problems] == [
        "covariance 'fixed' without a base phase is never estimated; "
        "set base_phase: true or covariance: plastic"
    ]


def test_domains_one_after_another_equal_one_pass_over_the_same_samples(project: Project) -> None:
    """Streamed as stored from the start, the end of an experience is nothing to SLDA."""
    arrays = ring(train_per_class=12)
    sessions = np.arange(len(arrays["y_train"])) % 3
    order = sessions.argsort(kind="stable")
    arrays["x_train"], arrays["y_train"] = arrays["x_train"][order], arrays["y_train"][order]
    domains = {
        "domain_train": sessions[order],
        "domain_test": np.arange(len(arrays["y_test"])) % 3,
    }
    np.savez(project.folder / "ring.npz", **arrays, **domains)  # type: ignore[arg-type]
    states = []
    for name, stream in (
        ("domains", {"kind": "domain_incremental"}),
        ("joint", {"kind": "class_incremental", "experiences": 1}),
    ):
        strategy = {"name": "slda", "base_phase": False, "stream_order": "as_stored"}
        scenario = project.ring_scenario(strategy, stream, backbone="identity")
        assert not project.run(scenario, name).failures
        states.append(last_state(project, name))
    assert states[0].keys() == states[1].keys()
    for key, tensor in states[0].items():
        torch.testing.assert_close(tensor, states[1][key], rtol=1e-6, atol=1e-9)


def last_state(project: Project, name: str) -> dict[str, torch.Tensor]:
    """Return what slda knows after the last experience of a run."""
    from safetensors.torch import load_file

    folder = project.folder / f"runs/{name}/slda/seed-0/checkpoints"
    tensors = load_file(max(folder.glob("experience-*")) / "tensors.safetensors")
    return {
        key: tensor
        for key, tensor in tensors.items()
        if any(part in key for part in ("scatter", "means", "counts", "prototypes"))
    }


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project.create(tmp_path)
