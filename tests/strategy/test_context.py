from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from cilsim import Batch, Strategy, TrainingLoss
from cilsim.errors import RunFailed
from cilsim.testing import ring as ring_arrays

Probed = Callable[..., list[Any]]
IDENTITY = {"backbone": "identity"}


def test_class_means_are_means_of_features_in_label_order(probe: Probed) -> None:
    means = torch.cat(probe(lambda s, e: s.context.class_means(e), **IDENTITY))
    arrays = ring_arrays()
    expected = arrays["x_train"].reshape(10, 60, 2).mean(axis=1)
    np.testing.assert_allclose(means.numpy(), expected, atol=1e-6)


def test_class_means_may_embed_features_first(probe: Probed) -> None:
    normalised = probe(
        lambda s, e: s.context.class_means(e, embed=lambda f: f / f.norm(dim=1, keepdim=True)),
        **IDENTITY,
    )
    assert all(0.9 < norm < 1.0 for norm in torch.cat(normalised).norm(dim=1).tolist())


def test_features_are_extracted_once_while_the_backbone_stays(probe: Probed) -> None:
    def look(strategy: Any, experience: Any) -> bool:
        first = strategy.context.features(experience.labelled)
        return strategy.context.features(experience.labelled) is first

    assert probe(look) == [True] * 5


def test_features_follow_the_backbone(probe: Probed) -> None:
    def look(strategy: Any, experience: Any) -> bool:
        before = strategy.context.features(experience.labelled).clone()
        strategy.context.fit(experience.labelled)
        return torch.equal(before, strategy.context.features(experience.labelled))

    assert probe(look) == [False] * 5


def test_generators_are_fresh_and_differ_by_name_and_experience(probe: Probed) -> None:
    def look(strategy: Any, experience: Any) -> list[float]:
        def draw(name: str) -> float:
            return torch.rand(1, generator=strategy.context.generator(name)).item()

        return [draw("a"), draw("a"), draw("b")]

    draws = probe(look)
    assert all(first == again for first, again, _ in draws)
    assert len({number for _, *numbers in draws for number in numbers}) == 10


def test_context_tells_where_the_stream_is(probe: Probed) -> None:
    def look(strategy: Any, experience: Any) -> tuple[int, int, int]:
        context = strategy.context
        return context.experience_index, context.base_classes, context.seen_classes

    assert probe(look) == [(0, 2, 2), (1, 2, 4), (2, 2, 6), (3, 2, 8), (4, 2, 10)]


def test_the_head_is_open_for_the_classes_seen(probe: Probed) -> None:
    def look(strategy: Any, experience: Any) -> tuple[int, ...]:
        return tuple(strategy.context.head(torch.zeros(3, 32)).shape)

    assert probe(look) == [(3, 2), (3, 4), (3, 6), (3, 8), (3, 10)]


def test_the_old_model_is_a_frozen_copy(probe: Probed) -> None:
    def look(strategy: Any, experience: Any) -> tuple[bool, bool, bool]:
        backbone, head = strategy.context.old_model()
        before = [parameter.clone() for parameter in backbone.parameters()]
        strategy.context.fit(experience.labelled)
        after = list(backbone.parameters())
        unchanged = all(torch.equal(*pair) for pair in zip(before, after, strict=True))
        modules = (*backbone.parameters(), *head.parameters())
        frozen = not any(parameter.requires_grad for parameter in modules)
        return unchanged, frozen, backbone.training or head.training

    assert probe(look) == [(True, True, False)] * 5


def test_resetting_the_model_starts_afresh_with_all_seen_classes_open(probe: Probed) -> None:
    def look(strategy: Any, experience: Any) -> tuple[int, bool]:
        before = next(strategy.context.backbone.parameters()).clone()
        strategy.context.reset_model()
        after = next(strategy.context.backbone.parameters())
        return strategy.context.head(torch.zeros(1, 32)).shape[1], torch.equal(before, after)

    assert probe(look) == [(2, False), (4, False), (6, False), (8, False), (10, False)]


def test_two_trainings_of_one_experience_draw_different_numbers(probe: Probed) -> None:
    def look(strategy: Any, experience: Any) -> bool:
        strategy.context.reset_model()
        strategy.context.fit(experience.labelled)
        first = next(strategy.context.backbone.parameters()).clone()
        strategy.context.reset_model()
        strategy.context.fit(experience.labelled)
        return torch.equal(first, next(strategy.context.backbone.parameters()))

    assert probe(look) == [False] * 5


def test_further_modules_are_trained_with_the_network(probe: Probed) -> None:
    class Scaled(Strategy):
        def setup(self) -> None:
            self.scale = nn.Linear(32, 32)

        def loss(self, batch: Batch) -> TrainingLoss:
            features = self.scale(self.context.backbone(batch.x))
            logits = self.context.head(features)
            return TrainingLoss(nn.functional.cross_entropy(logits, batch.labels), logits)

    def look(strategy: Any, experience: Any) -> bool:
        before = strategy.scale.weight.detach().clone()
        strategy.context.fit(experience.labelled, modules={"scale": strategy.scale})
        return torch.equal(before, strategy.scale.weight)

    assert probe(look, Scaled) == [False] * 5


def test_kmeans_draws_depend_on_seed_and_experience_alone(probe: Probed) -> None:
    def look(strategy: Any, experience: Any) -> Any:
        samples = experience.labelled.x
        results = [strategy.context.kmeans(samples, 2, n_init=2) for _ in range(2)]
        return torch.equal(results[0].centres, results[1].centres), results[0].centres

    first, second = (probe(look, **IDENTITY) for _ in range(2))
    assert all(equal for equal, _ in first)
    assert all(torch.equal(a[1], b[1]) for a, b in zip(first, second, strict=True))


def test_logged_values_become_metrics_of_the_experience(probe: Probed) -> None:
    logged: list[Any] = []

    def look(strategy: Any, experience: Any) -> None:
        strategy.context.log("angle", torch.tensor(0.5))
        strategy.context.log("mine/length", experience.index)
        logged.append(strategy)

    probe(look, **IDENTITY)
    folder = logged[0].context.run.folder
    lines = (folder / "metrics.jsonl").read_text().splitlines()
    own = [line for line in lines if "mine/length" in line or "strategy/angle" in line]
    assert own[:2] == [
        '{"experience": 0, "name": "mine/length", "value": 0.0}',
        '{"experience": 0, "name": "strategy/angle", "value": 0.5}',
    ]
    assert len(own) == 10


def test_a_backbone_without_parameters_needs_no_base_training(probe: Probed) -> None:
    def look(strategy: Any, experience: Any) -> int:
        if experience.index == 0:
            strategy.context.train_base(experience, for_features=True)
        return int(strategy.context._trainer.step)

    assert probe(look, **IDENTITY) == [0] * 5
    assert probe(look) == [2] * 5


def test_training_on_nothing_trainable_says_so(probe: Probed) -> None:
    def look(strategy: Any, experience: Any) -> str:
        for parameter in strategy.context.head.parameters():
            parameter.requires_grad_(False)
        with pytest.raises(RunFailed) as raised:
            strategy.context.fit(experience.labelled)
        return str(raised.value)

    assert probe(look, **IDENTITY)[3] == (
        "experience 3: nothing to train, no parameter requires a gradient"
    )
