"""Choosing TEEN's weight by holding base classes out."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from cilsim.errors import ScenarioError
from cilsim.prototypes.means import class_means
from cilsim.prototypes.scores import cosine_scores
from cilsim.testing import Project, StrategyContract
from cilsim_teen import held_out
from cilsim_teen.calibration import calibrate
from cilsim_teen.held_out import GRID, choose_weight

RULE = {"weight_rule": "held_out_base"}


class TestTeenWithAChosenWeight(StrategyContract):
    strategy = "teen"
    options = RULE


def clouds(noise: float, classes: int = 12, samples: int = 30, size: int = 16) -> tuple[Any, Any]:
    """Return features of classes that resemble each other, with positive coordinates."""
    generator = torch.Generator().manual_seed(0)
    means = torch.rand(classes, size, generator=generator)
    labels = torch.arange(classes).repeat_interleave(samples)
    spread = torch.randn(len(labels), size, generator=generator)
    return (means[labels] + noise * spread).clamp(min=0.0), labels


def choose(features: Tensor, labels: Tensor, seed: int = 0, **changes: Any) -> tuple[float, float]:
    settings: dict[str, Any] = {"shots": 2, "similarity_scale": 16.0, **changes}
    generator = torch.Generator().manual_seed(seed)
    return choose_weight(features, labels, generator=generator, **settings)


def by_hand(unit: Tensor, labels: Tensor, means: Tensor, new: Tensor, scale: float) -> list[float]:
    """Return the harmonic mean of each weight, one classifier after the other."""
    found = []
    for weight in GRID:
        rows = means.clone()
        rows[new] = calibrate(
            means[new], means[~new], calibration_weight=weight, similarity_scale=scale
        )
        right = (cosine_scores(unit, rows).argmax(1) == labels).double()
        accuracy = [float(right[labels == k].mean()) for k in range(len(means))]
        base = np.mean([a for a, is_new in zip(accuracy, new.tolist(), strict=True) if not is_new])
        novel = np.mean([a for a, is_new in zip(accuracy, new.tolist(), strict=True) if is_new])
        found.append(float(2 * base * novel / (base + novel)) if base + novel else 0.0)
    return found


def test_all_weights_at_once_equal_one_classifier_after_the_other() -> None:
    features, labels = clouds(0.6)
    unit = torch.nn.functional.normalize(features.double())
    means = class_means(features[::3].double(), labels[::3], range(12))
    new = torch.arange(12) % 3 == 0
    expected = by_hand(unit, labels, means, new, 16.0)
    found = held_out._harmonic_means(unit, labels, means, new, 16.0)
    assert found.tolist() == pytest.approx(expected, abs=1e-12)
    assert len(set(expected)) > 5


def test_the_weight_chosen_has_the_largest_mean_harmonic_mean(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    episodes: list[Tensor] = []
    original = held_out._harmonic_means

    def noted(*arguments: Any) -> Tensor:
        episodes.append(original(*arguments))
        return episodes[-1]

    monkeypatch.setattr(held_out, "_harmonic_means", noted)
    weight, harmonic_mean = choose(*clouds(0.5))
    mean_W = torch.stack(episodes).mean(0)
    assert len(episodes) == held_out.EPISODES
    assert harmonic_mean == pytest.approx(float(mean_W.max()), abs=1e-12)
    assert weight == GRID[int(mean_W.argmax())]
    assert 0.0 < weight < 1.0


def test_classes_that_nobody_confuses_need_no_calibration() -> None:
    features, labels = clouds(0.0)
    assert choose(features, labels) == (0.0, 1.0)


def test_each_seed_chooses_the_same_again() -> None:
    features, labels = clouds(0.5)
    assert choose(features, labels, seed=3) == choose(features, labels, seed=3)
    assert choose(features, labels, seed=3)[1] != choose(features, labels, seed=4)[1]


@pytest.mark.parametrize("counts", [[30, 9, 3, 2], [1, 5, 5], [200, 3]], ids=str)
def test_prototypes_and_queries_share_no_sample(counts: list[int]) -> None:
    labels = torch.arange(len(counts)).repeat_interleave(torch.tensor(counts))
    labels = labels[torch.randperm(len(labels), generator=torch.Generator().manual_seed(1))]
    new = torch.arange(len(counts)) % 2 == 1
    support, query = held_out._divide(labels, new, 5, torch.Generator().manual_seed(0))
    assert not set(support.tolist()) & set(query.tolist())
    expected = [max(min(5, n - 1) if k % 2 else n // 2, 1) for k, n in enumerate(counts)]
    assert torch.bincount(labels[support]).tolist() == expected
    left = [min(n - e, held_out.QUERIES) for n, e in zip(counts, expected, strict=True)]
    assert torch.bincount(labels[query], minlength=len(counts)).tolist() == left


def test_unequal_classes_and_too_few_samples_are_borne() -> None:
    features, labels = clouds(0.3)
    keep = torch.ones(len(labels), dtype=torch.bool)
    keep[1:30] = False
    keep[33:60] = False
    weight, harmonic_mean = choose(features[keep], labels[keep], shots=40)
    assert weight in GRID
    assert 0.0 < harmonic_mean <= 1.0


def test_two_classes_are_enough() -> None:
    features, labels = clouds(0.0, classes=2)
    assert choose(features, labels) == (0.0, 1.0)


# ------------------------------------------------------------------ in a run


def test_the_weight_is_logged_and_used(tmp_path: Path) -> None:
    project = Project.create(tmp_path)
    stream = {"kind": "class_incremental", "sizes": [6, 2, 2]}
    scenario = project.ring_scenario({"name": "teen", **RULE}, stream, backbone="identity")
    (chosen,) = project.run(scenario, "chosen").results
    weight = chosen.evaluations[0].values["strategy/calibration_weight"]
    assert 0.0 <= chosen.evaluations[0].values["strategy/held_out_harmonic_mean"] <= 1.0
    given = project.ring_scenario(
        {"name": "teen", "calibration_weight": weight}, stream, backbone="identity"
    )
    (same,) = project.run(given, "given").results
    for one, other in zip(chosen.evaluations, same.evaluations, strict=True):
        np.testing.assert_array_equal(one.predictions.predicted, other.predictions.predicted)


def test_one_base_class_leaves_the_given_weight(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    project = Project.create(tmp_path)
    stream = {"kind": "class_incremental", "sizes": [1, 9]}
    strategy = {"name": "teen", "calibration_weight": 0.25, **RULE}
    with caplog.at_level(logging.WARNING, logger="cilsim_teen"):
        (result,) = project.run(project.ring_scenario(strategy, stream)).results
    assert "strategy/calibration_weight" not in result.evaluations[0].values
    assert [record.getMessage() for record in caplog.records] == [
        "strategy 'teen': one base class cannot be held out; calibration_weight 0.25 is used"
    ]


def test_the_calibrator_sees_prototypes_alone_and_has_no_rule(tmp_path: Path) -> None:
    project = Project.create(tmp_path)
    strategy = {"name": "nmc", "calibrators": [{"name": "teen", **RULE}]}
    with pytest.raises(ScenarioError) as caught:
        project.run(project.ring_scenario(strategy))
    assert [problem.message for problem in caught.value.problems] == [
        "unknown key; known: calibration_weight, name, similarity_scale"
    ]
