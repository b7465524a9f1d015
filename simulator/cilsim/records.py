"""Read-only records that travel through hooks, reports and result files. No tensors, no torch.

Plugins see them: a field, an entry of a mapping or an element of an array cannot be set.

Axis letters: N samples, K classes seen, T experiences.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class ExperienceInfo:
    """Facts about one experience that anybody may know.

    Attributes:
        index: position in the stream, 0 is the base.
        name: what the field calls it, such as `base` or `session 3`.
        new_labels: labels (positions in stream order) of the classes that appear here.
        seen: number of classes seen up to and including this experience.
        labelled: number of labelled training samples.
        unlabelled: number of unlabelled training samples.
        test: number of test samples that belong to it: those of the new classes or, where classes
            come again, of its domains.
        novel_classes: how many of the new classes, the last ones, come without any label.
    """

    index: int
    name: str
    new_labels: tuple[int, ...]
    seen: int
    labelled: int
    unlabelled: int
    test: int
    novel_classes: int = 0

    @property
    def labelled_labels(self) -> tuple[int, ...]:
        """Labels of the new classes that come with labelled samples."""
        return self.new_labels[: len(self.new_labels) - self.novel_classes]

    @property
    def novel_labels(self) -> tuple[int, ...]:
        """Labels of the new classes that are to be discovered."""
        return self.new_labels[len(self.new_labels) - self.novel_classes :]


@dataclass(frozen=True)
class StreamInfo:
    """Facts about a stream.

    Attributes:
        kind: the stream kind of the scenario, such as `few_shot_class_incremental`.
        dataset: name of the data set.
        protocol: in the field's notation, such as `B60-Inc5` or `60 + 8x5-way 5-shot`.
        experiences: one record per experience.
        class_ids: the data set's own class id of each label, so `class_ids[label]`.
        class_names: a readable name of each label.
        groups: names of the classes of experience 0 and of all later ones: `("base", "novel")`
            for few-shot and class-incremental streams, `("old", "new")` for discovery.
        digest: hash over class order and split.
        number_of_classes: how strategies learn how many classes there are to discover:
            `given`, `estimate`, or `over` with a factor.
    """

    kind: str
    dataset: str
    protocol: str
    experiences: tuple[ExperienceInfo, ...]
    class_ids: tuple[int, ...]
    class_names: tuple[str, ...]
    groups: tuple[str, str]
    digest: str
    number_of_classes: str = "given"

    @property
    def base_labels(self) -> tuple[int, ...]:
        """The labelled classes of experience 0: the base, or the old classes of discovery."""
        return self.experiences[0].labelled_labels

    @property
    def discovery(self) -> bool:
        """Whether some experience has unlabelled samples, so that predictions are matched."""
        return any(experience.unlabelled for experience in self.experiences)

    @property
    def repeats_classes(self) -> bool:
        """Whether later experiences bring no class, only more samples of those of experience 0."""
        later = self.experiences[1:]
        return bool(later) and not any(experience.new_labels for experience in later)

    @property
    def one_test_part(self) -> bool:
        """Whether all test samples belong to experience 0, and serve after every experience."""
        later = self.experiences[1:]
        return bool(later) and not any(experience.test for experience in later)

    @property
    def experience_of_label(self) -> IntArray:
        """(K,) the experience that introduced each label."""
        owner = np.empty(len(self.class_ids), dtype=np.int64)
        for experience in self.experiences:
            owner[list(experience.new_labels)] = experience.index
        return owner


@dataclass(frozen=True)
class RunInfo:
    """One scenario, one strategy, one seed.

    Attributes:
        scenario: name of the scenario.
        strategy: label of the strategy within the scenario (`as:` or its name).
        seed: the training seed.
        stream: facts about the stream.
        device: such as `cpu` or `cuda:0`.
        folder: where this run writes.
        options: the strategy's resolved options.
        calibrators: names of the calibrators, in the order in which they are applied.
    """

    scenario: str
    strategy: str
    seed: int
    stream: StreamInfo
    device: str
    folder: Path
    options: Mapping[str, Any] = field(default_factory=dict)
    calibrators: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _seal(self, "options")


@dataclass(frozen=True)
class Scalars:
    """Values logged while training, at one optimiser step counted over the whole run."""

    values: Mapping[str, float]
    step: int

    def __post_init__(self) -> None:
        _seal(self, "values")


@dataclass(frozen=True)
class Predictions:
    """What was predicted after one experience, over the test samples of all classes seen so far.

    Attributes:
        experience: after which experience.
        index: (N,) position of each sample in the data set's test part.
        label: (N,) true label, a position in stream order.
        predicted: (N,) predicted label; for discovery streams a cluster id, matched by the metrics.
    """

    experience: int
    index: IntArray
    label: IntArray
    predicted: IntArray

    def __post_init__(self) -> None:
        _seal(self, "index", "label", "predicted")


@dataclass(frozen=True)
class Evaluation:
    """All that is known after an experience was evaluated.

    Attributes:
        experience: after which experience.
        values: every metric by name; accuracies and rates are fractions.
        accuracy_matrix: (T, T) R so far, NaN where not yet measured.
        confusion: (K, K) counts, rows are true labels, columns (matched) predictions.
        predictions: the raw predictions, as stored.
        unlabelled: the predictions of this experience's unlabelled samples (`index` is a position
            in the training part), or None if it has none.
        seconds: wall seconds spent on `train` and `evaluate`.
        kept: bytes that the strategy stores, by kind.
    """

    experience: int
    values: Mapping[str, float]
    accuracy_matrix: FloatArray
    confusion: IntArray
    predictions: Predictions
    seconds: Mapping[str, float]
    kept: Mapping[str, int]
    unlabelled: Predictions | None = None

    def __post_init__(self) -> None:
        _seal(self, "values", "accuracy_matrix", "confusion", "seconds", "kept")

    def with_values(self, values: Mapping[str, float]) -> Evaluation:
        """Return the same evaluation with other metrics."""
        return replace(self, values=values)


@dataclass(frozen=True)
class RunResult:
    """A finished run: its evaluations in the order of the stream."""

    run: RunInfo
    evaluations: tuple[Evaluation, ...]
    seconds: float

    @property
    def final(self) -> Mapping[str, float]:
        """The metrics after the last experience."""
        return self.evaluations[-1].values


def _seal(record: Any, *names: str) -> None:
    """Put views in place of arrays and mappings through which nothing can be written."""
    for name in names:
        value = getattr(record, name)
        if isinstance(value, np.ndarray):
            sealed: Any = value.view()
            sealed.flags.writeable = False
        else:
            sealed = MappingProxyType(dict(value))
        object.__setattr__(record, name, sealed)
