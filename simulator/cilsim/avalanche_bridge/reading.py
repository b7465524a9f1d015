"""Any Avalanche benchmark as a data set and a stream of ours.

The experiences of the benchmark are the domains of the data set, so that its facts say which
sample belongs where; the stream kinds `avalanche` and `avalanche_repeated` read them from there.
Axis letters: N samples.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from cilsim.avalanche_bridge.sample_arrays import Transforms, in_8_bits, joined, sample_array
from cilsim.data.dataset import DataFacts, DataSet
from cilsim.data.digest import dataset_digest
from cilsim.data.moments import channel_moments
from cilsim.errors import DataError
from cilsim.options import Options
from cilsim.records import IntArray
from cilsim.streams.as_given import as_given
from cilsim.streams.plan import StreamPlan

Tasks = Literal["shared", "separate"]
NAME = "avalanche"


def from_avalanche(
    benchmark: Any,
    *,
    name: str = NAME,
    tasks: Tasks | None = None,
    transforms: Transforms = "drop",
) -> tuple[DataSet, StreamPlan]:
    """Return the samples of a benchmark, and its experiences as a stream.

    Args:
        benchmark: any with a train and a test stream of labelled experiences.
        name: of the data set, in reports and messages.
        tasks: what equal labels of two tasks mean, where experiences have several task labels:
            one class (`shared`, as in a permuted MNIST) or two (`separate`, as where labels begin
            at 0 in each experience).
        transforms: see `sample_array`.

    Raises:
        DataError: there are no such streams, samples cannot be read as images or vectors, or
            `tasks` is needed.
    """
    dataset = benchmark_dataset(benchmark, name, tasks, transforms)
    return dataset, as_given(Options(), dataset.facts, dataset.facts.class_ids, 0)


def benchmark_dataset(
    benchmark: Any, name: str = NAME, tasks: Tasks | None = None, transforms: Transforms = "drop"
) -> DataSet:
    """Return the data set of `from_avalanche`."""
    where = f"data set '{name}'"
    train, test = (_experiences(where, benchmark, part) for part in ("train", "test"))
    _check_tasks(where, train, tasks)
    x_train, x_test = (
        joined([sample_array(where, each.dataset, transforms) for each in part])
        for part in (train, test)
    )
    if x_train.shape[1:] != x_test.shape[1:]:
        raise DataError(
            f"{where}: training samples of shape {x_train.shape[1:]}, test samples of "
            f"{x_test.shape[1:]} - expected the same"
        )
    x_train, x_test = in_8_bits(where, x_train, x_test)
    facts = _facts(train, test, tasks, x_train.shape[1:])
    mean, std = ((), ()) if facts.features else channel_moments(x_train)
    digest = dataset_digest(x_train, facts.y_train, x_test, facts.y_test)
    return DataSet(name, facts, x_train, x_test, mean, std, digest)


def _experiences(where: str, benchmark: Any, part: str) -> list[Any]:
    stream = getattr(benchmark, f"{part}_stream", None)
    found = [] if stream is None else list(stream)
    if not found or not all(hasattr(getattr(each, "dataset", None), "targets") for each in found):
        raise DataError(
            f"{where}: no {part} stream of labelled experiences in a "
            f"{type(benchmark).__name__} - expected an Avalanche benchmark for classification"
        )
    return [each for each in found if len(each.dataset)]


def _task_labels(experience: Any) -> IntArray:
    """Return (N,) task labels; experiences without any are of task 0."""
    dataset = experience.dataset
    found = getattr(dataset, "targets_task_labels", None)
    if found is None:
        return np.full(len(dataset), getattr(experience, "task_label", 0), dtype=np.int64)
    return np.array(list(found), dtype=np.int64)


def _check_tasks(where: str, experiences: list[Any], tasks: Tasks | None) -> None:
    labels = sorted({label for each in experiences for label in _task_labels(each).tolist()})
    if len(labels) > 1 and tasks is None:
        raise DataError(
            f"{where}: {len(labels)} task labels, from {labels[0]} to {labels[-1]} - expected "
            "'tasks': 'shared' if equal labels of two tasks are one class, else 'separate'"
        )


def _facts(
    train: list[Any], test: list[Any], tasks: Tasks | None, sample_shape: tuple[int, ...]
) -> DataFacts:
    pairs_train, pairs_test = (_pairs(part, tasks) for part in (train, test))
    known = sorted({*map(tuple, pairs_train.tolist()), *map(tuple, pairs_test.tolist())})
    if tasks == "separate":
        class_ids = {pair: place for place, pair in enumerate(known)}
        names = tuple(f"task {task} class {label}" for task, label in known)
    else:
        class_ids = {(0, label): label for _, label in known}
        names = tuple(str(label) for _, label in known)
    y_train, y_test = (
        np.array([class_ids[task, label] for task, label in pairs.tolist()], dtype=np.int64)
        for pairs in (pairs_train, pairs_test)
    )
    ids = tuple(class_ids[pair] for pair in known)
    longest = max(len(train), len(test))
    return DataFacts(
        ids, names, y_train, y_test, sample_shape,
        domain_train=_experience_of_sample(train),
        domain_test=_experience_of_sample(test),
        domain_names=tuple(f"experience {index}" for index in range(longest)),
    )  # fmt: skip


def _experience_of_sample(experiences: list[Any]) -> IntArray:
    counts = [len(each.dataset) for each in experiences]
    return np.repeat(np.arange(len(counts), dtype=np.int64), counts)


def _pairs(experiences: list[Any], tasks: Tasks | None) -> IntArray:
    """Return (N, 2) task and label of each sample; the task is 0 where tasks share classes."""
    columns = []
    for each in experiences:
        label = np.array(list(each.dataset.targets), dtype=np.int64)
        task = _task_labels(each) if tasks == "separate" else np.zeros_like(label)
        columns.append(np.stack([task, label], axis=1))
    return np.concatenate(columns)
