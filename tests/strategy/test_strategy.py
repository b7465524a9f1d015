from __future__ import annotations

from typing import Any

import pytest
import torch

from cilsim import Batch, Experience, FeatureSet, Options, Strategy, TrainingLoss, hookimpl
from cilsim.strategy.strategy import bytes_of, customises_training


class Bare(Strategy):
    """A strategy without an engine."""

    def __init__(self) -> None:
        super().__init__(Options(), context=None)  # type: ignore[arg-type]


class OwnLoss(Bare):
    def loss(self, batch: Batch) -> TrainingLoss:
        return super().loss(batch)


class OwnBatches(Bare):
    def transform_batch(self, batch: Batch) -> Batch:
        return batch


class OwnGroups(Bare):
    def parameter_groups(self) -> list[dict[str, Any]] | None:
        return None


class OwnGradients(Bare):
    def after_backward(self) -> None:
        """Edit nothing."""


class OwnHook(Bare):
    @hookimpl
    def cilsim_training_loss(self) -> None:
        """Look on."""


class OwnLearning(Bare):
    def learn(self, experience: Experience) -> None:
        """Learn nothing."""


@pytest.mark.parametrize(
    ("kind", "customises"),
    [
        (Bare, False),
        (OwnLearning, False),
        (OwnLoss, True),
        (OwnBatches, True),
        (OwnGroups, True),
        (OwnGradients, True),
        (OwnHook, True),
    ],
)
def test_a_strategy_that_changes_training_cannot_share_a_base(
    kind: type[Bare], customises: bool
) -> None:
    assert customises_training(kind()) is customises


def test_without_prototypes_nothing_is_kept() -> None:
    assert Bare().kept() == {}


def test_prototypes_are_kept_and_counted() -> None:
    strategy = Bare()
    strategy.prototypes = torch.zeros(3, 8)
    assert strategy.kept() == {"prototypes": 3 * 8 * 4}


def test_state_goes_round() -> None:
    first, second = Bare(), Bare()
    first.prototypes = torch.rand(3, 8)
    second.load_state_dict(first.state_dict())
    assert second.prototypes is first.prototypes


def test_assignments_are_the_largest_scores_by_default() -> None:
    class Scores(Bare):
        def scores(self, x: torch.Tensor) -> torch.Tensor:
            return x

    features = torch.tensor([[0.0, 2.0], [3.0, 1.0]])
    assert Scores().assign(FeatureSet(features, 2, "test")).tolist() == [1, 0]


def test_bytes_of_a_tensor() -> None:
    assert bytes_of(torch.zeros(2, 3, dtype=torch.float16)) == 12


def test_an_experience_without_labels_says_so() -> None:
    experience = Experience(4, None, None, new_classes=2, seen_classes=6)
    with pytest.raises(ValueError, match=r"^experience 4 has no labelled samples$"):
        _ = experience.labelled


def test_an_experience_counts_old_and_new_labels() -> None:
    experience = Experience(4, None, None, new_classes=2, seen_classes=6)
    assert experience.old_classes == 4
    assert list(experience.new_labels) == [4, 5]


def test_public_names_are_those_of_the_package() -> None:
    import cilsim

    assert sorted(cilsim.__all__) == cilsim.__all__
    assert all(getattr(cilsim, name) is not None for name in cilsim.__all__)


def test_an_unknown_public_name_is_an_attribute_error() -> None:
    import cilsim

    with pytest.raises(AttributeError, match=r"^module 'cilsim' has no attribute 'Strategie'$"):
        _ = cilsim.Strategie
