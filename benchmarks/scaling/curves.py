"""What is varied, and what every point of a curve runs."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

DISCOVERY: dict[str, Any] = {
    "name": "kmeans_discovery", "as": "kmeans_discovery", "inits": 1, "iterations": 20,
}  # fmt: skip
FEW_FEATURES: dict[str, Any] = {"name": "ranpac", "as": "ranpac", "random_features": 500}
"""RanPAC's 10,000 random features cost their cube, whatever is varied here."""

MOST_CLASSES = {"fetril": 1000, "fecam": 3000}


@dataclass(frozen=True)
class Case:
    """One run on synthetic features.

    Attributes:
        strategy: as the scenario gives it.
        classes: K, over all experiences.
        experiences: T, of equally many classes each.
        train_per_class: training samples of a class.
        test_per_class: test samples of a class.
        size: D.
        discovery: whether all classes but a first half come without labels, in one experience.
    """

    strategy: dict[str, Any]
    classes: int
    experiences: int
    train_per_class: int
    test_per_class: int
    size: int
    discovery: bool = False

    @property
    def label(self) -> str:
        """The strategy's label."""
        return str(self.strategy.get("as", self.strategy["name"]))

    @property
    def train_samples(self) -> int:
        """Training samples over the whole stream."""
        return self.classes * self.train_per_class

    def scenario(self) -> dict[str, Any]:
        """Return what a scenario file would hold."""
        stream: dict[str, Any] = {"kind": "class_incremental", "experiences": self.experiences}
        if self.discovery:
            kind = "generalized_category_discovery"
            stream = {"kind": kind, "old_classes": self.classes // 2}
        return {
            "schema": 1,
            "name": "scaling",
            "stream": {**stream, "dataset": "python_arrays"},
            "backbone": "identity",
            "strategies": [self.strategy],
            "threads": 1,
        }

    def document(self) -> dict[str, Any]:
        """Return the case as plain data."""
        return asdict(self)


@dataclass(frozen=True)
class Curve:
    """One plot.

    Attributes:
        axis: what is varied, as the plot names it.
        linear: which of the measured seconds should grow no faster than the axis.
        points: the cases by value on the axis.
    """

    axis: str
    linear: str
    points: tuple[tuple[int, Case], ...]


def _named(*names: str) -> list[dict[str, Any]]:
    return [{"name": name} for name in names]


def by_classes(values: tuple[int, ...] = (100, 1000, 3000, 10_000)) -> Curve:
    """Return ten experiences of ever more classes, 5 training samples each.

    FeTrIL fits a classifier per class on pseudo-features of all, FeCAM has a matrix per class and
    asks each of them about every test sample: they stop early.
    """
    strategies = [*_named("nmc", "teen", "slda", "fecam"), FEW_FEATURES, *_named("fetril")]
    return Curve(
        "classes",
        "seconds_learning",
        tuple(
            (classes, Case(strategy, classes, 10, 5, 2, 64))
            for strategy in strategies
            for classes in values
            if classes <= MOST_CLASSES.get(strategy["name"], 10_000)
        ),
    )


def by_experiences(values: tuple[int, ...] = (5, 50, 150, 500)) -> Curve:
    """Return ever more experiences of two classes, 5 training samples each."""
    strategies = _named("nmc", "teen", "slda", "fecam")
    return Curve(
        "experiences",
        "seconds_learning",
        tuple(
            (experiences, Case(strategy, 2 * experiences, experiences, 5, 2, 32))
            for strategy in strategies
            for experiences in values
        ),
    )


def by_features(values: tuple[int, ...] = (10_000, 100_000, 1_000_000)) -> Curve:
    """Return ten experiences of 100 classes with ever more samples; k-means sees them at once."""
    cases = [
        (samples, Case(strategy, 100, 10, samples // 100, 20, 128))
        for strategy in [*_named("nmc", "slda", "fecam"), FEW_FEATURES]
        for samples in values
    ]
    cases += [
        (samples, Case(DISCOVERY, 100, 1, samples // 100, 20, 128, discovery=True))
        for samples in values
    ]
    return Curve("training features", "seconds_learning", tuple(cases))


CURVES = {"classes": by_classes, "experiences": by_experiences, "features": by_features}
QUICK: dict[str, tuple[int, ...]] = {
    "classes": (100, 300),
    "experiences": (5, 15),
    "features": (2000, 10_000),
}
"""Two small points of every curve, to see that all of it works."""
