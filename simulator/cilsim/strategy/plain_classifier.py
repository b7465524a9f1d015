"""What a strategy computes from features, said so plainly that torch alone can repeat it.

Axis letters: D features, M projected features, K classes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from torch import Tensor

from cilsim.training.head import Head

if TYPE_CHECKING:
    from cilsim.strategy.strategy import Strategy

Kind = Literal["linear", "cosine", "distance"]
Setting = bool | float


@dataclass(frozen=True)
class PlainClassifier:
    """Features (B, D) to scores (B, K), the largest being the prediction.

    First, in this order and only where given: features divided by their length (`unit_features`),
    relu(x projection), elementwise power (`power`), division by the length (`unit_transformed`).
    Then, by kind:

    - `linear`: x weight' + bias.
    - `cosine`: `scale` times the cosine of x with each row of `prototypes`.
    - `distance`: minus d' P d with d = x - prototype. P is (K, D, D) or (D, D) `precisions`, of
      each class or of all, or (K, D) `diagonals` of diagonal ones; without either, the identity.

    Attributes:
        kind: which of these.
        tensors: `weight` (K, D) and `bias` (K,), or `prototypes` (K, D) and matrices;
            `projection` (D, M) besides, and D is M then. x takes the type of the first.
        settings: `unit_features`, `power`, `unit_transformed`, `scale`.
    """

    kind: Kind
    tensors: Mapping[str, Tensor]
    settings: Mapping[str, Setting] = field(default_factory=dict)


def of_head(head: Head) -> PlainClassifier:
    """Return a head as it is, over the classes seen."""
    weight_KD = head.weight.detach()[: head.seen]
    if head.kind == "cosine":
        return PlainClassifier("cosine", {"prototypes": weight_KD}, {"scale": head.temperature})
    assert head.bias is not None  # linear heads have one
    return PlainClassifier("linear", {"weight": weight_KD, "bias": head.bias.detach()[: head.seen]})


def plain_classifier_of(strategy: Strategy) -> PlainClassifier | None:
    """Return how a strategy describes its scores, or None.

    A class that writes `scores` anew must describe them anew: what it inherits does not count.
    """
    if _author(strategy, "plain_classifier") > _author(strategy, "scores"):
        return None
    return strategy.plain_classifier()


def adds_classes_without_training(strategy: Strategy) -> bool:
    """Return whether the class that wrote `learn` says that later experiences train no network."""
    kind = type(strategy).__mro__[_author(strategy, "learn")]
    return bool(vars(kind).get("adds_classes_without_training", False))


def _author(strategy: Strategy, name: str) -> int:
    """Return the place, in order of inheritance, of the class that wrote an attribute."""
    return next(at for at, kind in enumerate(type(strategy).__mro__) if name in vars(kind))
