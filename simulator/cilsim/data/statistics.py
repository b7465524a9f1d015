"""What can be said of a data set before anything is trained on it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cilsim.data.dataset import DataFacts, DataSet
from cilsim.data.duplicates import Duplicates, duplicates
from cilsim.data.moments import channel_moments
from cilsim.records import IntArray


@dataclass(frozen=True)
class Statistics:
    """Numbers of samples, their values, and which are equal.

    Attributes:
        class_ids: the data set's own ids, ascending.
        class_names: a readable name of each.
        train: number of training samples of each.
        test: number of test samples of each.
        domains: (name, training samples, test samples) of each domain, if there are any.
        sample_shape: what a backbone gets: (C, H, W) or (D,).
        mean: of the training samples: per channel in [0, 1] of images, over all values of features.
        std: likewise.
        constant: features that are the same in all training samples; 0 for images.
        bytes: of all samples as they are stored.
        duplicates: samples of equal content.
        digest: identifies samples and class ids.
    """

    class_ids: tuple[int, ...]
    class_names: tuple[str, ...]
    train: tuple[int, ...]
    test: tuple[int, ...]
    domains: tuple[tuple[str, int, int], ...]
    sample_shape: tuple[int, ...]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    constant: int
    bytes: int
    duplicates: Duplicates
    digest: str

    @property
    def imbalance(self) -> float:
        """Training samples of the largest class for one of the smallest; infinite for none."""
        return max(self.train) / min(self.train) if min(self.train) else float("inf")


def statistics(dataset: DataSet) -> Statistics:
    """Return the statistics of a data set; every sample is read once or twice."""
    facts = dataset.facts
    mean, std, constant = _moments(dataset)
    return Statistics(
        class_ids=facts.class_ids,
        class_names=facts.class_names,
        train=_counts(facts.y_train, facts.class_ids),
        test=_counts(facts.y_test, facts.class_ids),
        domains=_domains(facts),
        sample_shape=facts.sample_shape,
        mean=mean,
        std=std,
        constant=constant,
        bytes=dataset.x_train.nbytes + dataset.x_test.nbytes,
        duplicates=duplicates(dataset),
        digest=dataset.digest,
    )


def _counts(found: IntArray, wanted: tuple[int, ...]) -> tuple[int, ...]:
    counts = dict(
        zip(*(part.tolist() for part in np.unique(found, return_counts=True)), strict=True)
    )
    return tuple(counts.get(value, 0) for value in wanted)


def _domains(facts: DataFacts) -> tuple[tuple[str, int, int], ...]:
    if facts.domain_train is None or facts.domain_test is None:
        return ()
    places = tuple(range(len(facts.domain_names)))
    train, test = (_counts(found, places) for found in (facts.domain_train, facts.domain_test))
    return tuple(zip(facts.domain_names, train, test, strict=True))


def _moments(dataset: DataSet) -> tuple[tuple[float, ...], tuple[float, ...], int]:
    if not dataset.facts.features:
        return *channel_moments(dataset.x_train.view(np.uint8)), 0
    features_ND = np.asarray(dataset.x_train, dtype=np.float64)
    constant = int((features_ND == features_ND[:1]).all(axis=0).sum())
    return (float(features_ND.mean()),), (float(features_ND.std()),), constant
