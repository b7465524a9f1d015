"""A cilsim stream as an Avalanche benchmark, so that any Avalanche strategy can run on it.

Avalanche's own generators leave out what some of its strategies read (task labels in batches,
`classes_order`, lists rather than sets); here all of it is set.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from avalanche.benchmarks import benchmark_from_datasets, with_classes_timeline, with_task_labels
from avalanche.benchmarks.utils.classification_dataset import (
    # the only way to task labels in batches; its public twin leaves them out
    _make_taskaware_classification_dataset,
)
from torch import Tensor
from torch.utils.data import Dataset

from cilsim.data.dataset import DataSet
from cilsim.data.device import part_digest, take
from cilsim.data.normalise import prepare
from cilsim.errors import StreamError
from cilsim.plugins import discover
from cilsim.records import IntArray
from cilsim.runner.planning import plan_stream
from cilsim.scenario.load import load_scenario
from cilsim.streams.plan import StreamPlan, labels_of

CLASS_LISTS = (
    "classes_in_this_experience",
    "previous_classes",
    "classes_seen_so_far",
    "future_classes",
)


def scenario_to_avalanche(path: Path | str, seed: int = 0) -> Any:
    """Return the stream of a scenario file as an Avalanche benchmark.

    Args:
        path: the scenario file; what it says of strategies and training is not used.
        seed: training seed, for streams that draw shots by it.
    """
    plugins = discover()
    scenario = load_scenario(Path(path), plugins.registries)
    plan, _ = plan_stream(scenario, plugins, seed)
    choice = scenario.stream.dataset
    return to_avalanche(plugins.registries.datasets[choice.name].load()(choice.options), plan)


def to_avalanche(dataset: DataSet, plan: StreamPlan) -> Any:
    """Return a benchmark with a train and a test stream, normalised float samples, labels 0..K-1.

    Raises:
        StreamError: an experience has unlabelled samples, which Avalanche cannot express.
    """
    hidden = [experience.index for experience in plan.experiences if len(experience.unlabelled)]
    if hidden:
        raise StreamError(
            f"experience {hidden[0]} has unlabelled samples; Avalanche needs a label for each"
        )
    train = _stream(dataset, plan, "train", lambda experience: experience.labelled)
    test = _stream(dataset, plan, "test", lambda experience: experience.test)
    benchmark = with_classes_timeline(
        with_task_labels(benchmark_from_datasets(train=train, test=test))
    )
    _complete(benchmark, plan)
    return benchmark


def _stream(
    dataset: DataSet, plan: StreamPlan, part: Any, positions: Callable[[Any], IntArray]
) -> list[Any]:
    class_ids = dataset.facts.y_train if part == "train" else dataset.facts.y_test
    labels = labels_of(class_ids, plan.class_order)
    return [
        _classification(dataset, part, positions(experience), labels)
        for experience in plan.experiences
    ]


def _classification(dataset: DataSet, part: Any, positions: IntArray, labels: IntArray) -> Any:
    digest = part_digest(dataset.digest, part, positions, dataset.crop)
    samples = take(dataset, part, positions, labels[positions], torch.device("cpu"), digest)
    x: Tensor = prepare(samples.x[:], samples)
    assert samples.labels is not None  # labels were given to take()
    targets = samples.labels.tolist()
    data = _Labelled(x.contiguous(), targets)
    return _make_taskaware_classification_dataset(data, targets=targets, task_labels=0)


class _Labelled(Dataset[tuple[Tensor, int]]):
    """Samples with plain integers as labels: iCaRL collates them with labels of its own."""

    def __init__(self, x: Tensor, labels: list[int]) -> None:
        self._x, self._labels = x, labels

    def __len__(self) -> int:
        return len(self._labels)

    def __getitem__(self, place: int) -> tuple[Tensor, int]:
        return self._x[place], self._labels[place]


def _complete(benchmark: Any, plan: StreamPlan) -> None:
    """Set what Avalanche's strategies read beyond what its generators set."""
    benchmark.classes_order = list(range(len(plan.class_order)))
    benchmark.n_classes = len(plan.class_order)
    benchmark.n_classes_per_exp = [len(e.new_labels) for e in plan.experiences]
    for stream in benchmark.streams.values():
        stream.benchmark = benchmark
        for experience in stream:
            experience.benchmark = benchmark
            for name in CLASS_LISTS:
                setattr(experience, name, sorted(getattr(experience, name)))
