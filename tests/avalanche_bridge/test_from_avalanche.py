"""Avalanche benchmarks as streams of ours, from Python."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch.utils.data import TensorDataset

pytestmark = pytest.mark.filterwarnings("ignore")

from cilsim.avalanche_bridge import from_avalanche, run_benchmark, to_avalanche  # noqa: E402
from cilsim.errors import CilsimError, DataError  # noqa: E402
from cilsim.testing import ring  # noqa: E402


def _datasets(classes: int = 6, **sizes: int) -> tuple[Any, Any]:
    arrays = ring(classes, **{"train_per_class": 10, "test_per_class": 4, **sizes})
    parts = []
    for part in ("train", "test"):
        x, y = (torch.from_numpy(arrays[f"{name}_{part}"]) for name in ("x", "y"))
        dataset = TensorDataset(x, y)
        dataset.targets = y.tolist()
        parts.append(dataset)
    return parts[0], parts[1]


def _classification(dataset: Any, **arguments: Any) -> Any:
    from avalanche.benchmarks.utils import as_classification_dataset

    return as_classification_dataset(dataset, **arguments)


def _class_ids(plan: Any) -> list[list[int]]:
    return [[plan.class_order[label] for label in e.new_labels] for e in plan.experiences]


def test_an_nc_benchmark_keeps_its_order_and_sizes() -> None:
    from avalanche.benchmarks import nc_benchmark

    train, test = _datasets()
    benchmark = nc_benchmark(
        train, test, 3, False, fixed_class_order=[5, 0, 2, 1, 4, 3], per_exp_classes={0: 3, 1: 2}
    )
    dataset, plan = from_avalanche(benchmark)
    assert _class_ids(plan) == [[0, 2, 5], [1, 4], [3]]
    assert [len(e.labelled) for e in plan.experiences] == [30, 20, 10]
    assert [len(e.test) for e in plan.experiences] == [12, 8, 4]
    assert dataset.facts.sample_shape == (2,)
    for experience, theirs in zip(plan.experiences, benchmark.train_stream, strict=True):
        rows = torch.stack([theirs.dataset[i][0] for i in range(len(theirs.dataset))])
        np.testing.assert_array_equal(dataset.x_train[experience.labelled], rows.numpy())


def test_an_ni_benchmark_repeats_classes_and_its_one_test_part_serves_throughout() -> None:
    from avalanche.benchmarks import ni_benchmark

    train, test = _datasets(train_per_class=40)
    benchmark = ni_benchmark(train, test, 4, seed=1)
    dataset, plan = from_avalanche(benchmark)
    info = plan.info("ni", dataset.facts)
    assert info.repeats_classes
    assert info.one_test_part
    assert [len(e.new_labels) for e in plan.experiences] == [6, 0, 0, 0]
    assert [len(e.labelled) for e in plan.experiences] == [
        len(experience.dataset) for experience in benchmark.train_stream
    ]
    assert [len(e.test) for e in plan.experiences] == [24, 0, 0, 0]


def test_benchmark_from_datasets_may_bring_new_and_old_classes_together() -> None:
    from avalanche.benchmarks import benchmark_from_datasets

    train, test = _datasets()
    whole, tested = _classification(train), _classification(test)
    benchmark = benchmark_from_datasets(
        train=[whole.subset(range(0, 30)), whole.subset(range(20, 60))],
        test=[tested.subset(range(0, 12)), tested.subset(range(8, 24))],
    )
    _, plan = from_avalanche(benchmark)
    assert _class_ids(plan) == [[0, 1, 2], [3, 4, 5]]
    assert [len(e.labelled) for e in plan.experiences] == [30, 40]
    assert [len(e.test) for e in plan.experiences] == [12, 16]


def test_class_incremental_benchmark_is_read_too() -> None:
    from avalanche.benchmarks import class_incremental_benchmark

    train, test = _datasets()
    benchmark = class_incremental_benchmark(
        {"train": _classification(train), "test": _classification(test)},
        class_order=[3, 4, 5, 0, 1, 2],
        num_experiences=3,
    )
    _, plan = from_avalanche(benchmark)
    assert _class_ids(plan) == [[3, 4], [0, 5], [1, 2]]


def test_a_single_test_part_is_spread_by_class() -> None:
    from avalanche.benchmarks import benchmark_from_datasets

    train, test = _datasets()
    whole = _classification(train)
    benchmark = benchmark_from_datasets(
        train=[whole.subset(range(0, 20)), whole.subset(range(20, 60))],
        test=[_classification(test)],
    )
    _, plan = from_avalanche(benchmark)
    assert [len(e.test) for e in plan.experiences] == [8, 16]


def test_our_stream_comes_back_as_it_went_out() -> None:
    from avalanche.benchmarks import nc_benchmark

    dataset, plan = from_avalanche(nc_benchmark(*_datasets(), 3, False, seed=3))
    again, same = from_avalanche(to_avalanche(dataset, plan))
    assert [e.new_labels for e in same.experiences] == [e.new_labels for e in plan.experiences]
    for ours, theirs in zip(plan.experiences, same.experiences, strict=True):
        np.testing.assert_array_equal(
            dataset.x_train[ours.labelled], again.x_train[theirs.labelled]
        )
        np.testing.assert_array_equal(dataset.x_test[ours.test], again.x_test[theirs.test])


def _images(**arguments: Any) -> Any:
    from avalanche.benchmarks import nc_benchmark

    pixels = torch.arange(8 * 3 * 4 * 4).reshape(8, 3, 4, 4) % 256
    dataset = TensorDataset(pixels.float() / 255.0, torch.arange(8) % 4)
    dataset.targets = (torch.arange(8) % 4).tolist()
    return nc_benchmark(dataset, dataset, 2, False, fixed_class_order=[0, 1, 2, 3], **arguments)


def test_images_between_0_and_1_become_the_8_bit_images_that_they_were() -> None:
    dataset, plan = from_avalanche(_images())
    assert dataset.x_train.dtype == np.uint8
    assert dataset.facts.sample_shape == (3, 4, 4)
    first = dataset.x_train[plan.experiences[0].labelled[0]]
    np.testing.assert_array_equal(first.reshape(-1), np.arange(48))


def test_transforms_are_dropped_unless_those_of_evaluation_are_asked_for() -> None:
    flipped = {
        "train_transform": lambda x: x * 0.0 + 0.3,
        "eval_transform": lambda x: torch.flip(x, (2,)),
    }
    plain, _ = from_avalanche(_images(**flipped))
    evaluated, _ = from_avalanche(_images(**flipped), transforms="eval")
    np.testing.assert_array_equal(plain.x_train, from_avalanche(_images())[0].x_train)
    np.testing.assert_array_equal(evaluated.x_train, plain.x_train[..., ::-1])


def test_normalised_images_are_rounded_to_256_levels(caplog: pytest.LogCaptureFixture) -> None:
    benchmark = _images(eval_transform=lambda x: (x - 0.5) / 0.25)
    dataset, _ = from_avalanche(benchmark, transforms="eval")
    plain, _ = from_avalanche(_images())
    np.testing.assert_array_equal(dataset.x_train, plain.x_train)
    np.testing.assert_array_equal(dataset.x_test, plain.x_test)
    assert [record.getMessage() for record in caplog.records] == [
        "data set 'avalanche': images with values from -2 to 2 that are no 255ths are rounded to "
        "256 levels"
    ]


def test_images_between_0_and_1_are_rounded_to_255ths_though_some_are_exact() -> None:
    halves = _images(eval_transform=lambda x: x.clamp(0.0, 0.5) * 0.93)
    dataset, plan = from_avalanche(halves, transforms="eval")
    first = dataset.x_train[plan.experiences[0].labelled[0]]
    expected = np.rint(np.arange(48, dtype=np.float32) * np.float32(0.93)).astype(np.uint8)
    np.testing.assert_array_equal(first.reshape(-1), expected)


def test_images_that_hold_no_numbers_are_refused() -> None:
    with pytest.raises(DataError) as caught:
        from_avalanche(_images(eval_transform=lambda x: x / 0.0), transforms="eval")
    assert str(caught.value) == (
        "data set 'avalanche': images hold NaN or infinity - expected numbers"
    )


def test_several_task_labels_need_a_word_on_what_they_mean() -> None:
    from avalanche.benchmarks import nc_benchmark

    benchmark = nc_benchmark(
        *_datasets(),
        3,
        True,
        fixed_class_order=[0, 1, 2, 3, 4, 5],
        class_ids_from_zero_in_each_exp=True,
    )
    with pytest.raises(DataError) as caught:
        from_avalanche(benchmark)
    assert str(caught.value) == (
        "data set 'avalanche': 3 task labels, from 0 to 2 - expected 'tasks': 'shared' if equal "
        "labels of two tasks are one class, else 'separate'"
    )
    dataset, plan = from_avalanche(benchmark, tasks="separate")
    assert [len(e.new_labels) for e in plan.experiences] == [2, 2, 2]
    assert dataset.facts.class_names[:3] == ("task 0 class 0", "task 0 class 1", "task 1 class 0")
    _, shared = from_avalanche(benchmark, tasks="shared")
    assert [len(e.new_labels) for e in shared.experiences] == [2, 0, 0]


def test_what_is_no_benchmark_is_refused() -> None:
    with pytest.raises(DataError) as caught:
        from_avalanche(object())
    assert str(caught.value) == (
        "data set 'avalanche': no train stream of labelled experiences in a object - expected an "
        "Avalanche benchmark for classification"
    )


RECIPE = {"epochs": 4, "batch_size": 16, "lr": 0.02, "schedule": "constant"}
SCENARIO = {
    "backbone": {"name": "mlp", "hidden": [16]},
    "base_training": RECIPE,
    "training": RECIPE,
}


def test_strategies_of_ours_and_of_avalanche_run_on_a_benchmark(tmp_path: Any) -> None:
    from avalanche.benchmarks import nc_benchmark

    replay = {"name": "avalanche", "strategy": "Replay", "options": {"mem_size": 30}}
    outcome = run_benchmark(
        nc_benchmark(*_datasets(train_per_class=30), 3, False, seed=0),
        {**SCENARIO, "name": "nc", "strategies": ["nmc", replay], "backbone": "identity"},
        out=tmp_path,
        device="cpu",
        cache=False,
    )
    assert not outcome.failures
    assert outcome.results[0].evaluations[-1].values["A_all"] == 1.0
    assert len(outcome.results[1].evaluations) == 3


def test_repeated_classes_run_with_strategies_that_can_learn_more_of_them(tmp_path: Any) -> None:
    from avalanche.benchmarks import ni_benchmark

    outcome = run_benchmark(
        ni_benchmark(*_datasets(), 3, seed=0),
        {**SCENARIO, "name": "ni", "strategy": "finetune"},
        out=tmp_path,
        device="cpu",
        cache=False,
    )
    assert not outcome.failures
    assert outcome.results[0].run.stream.protocol == "3 experiences as given, 6+0+0 new classes"


class _Listed(list[tuple[torch.Tensor, int]]):
    """Samples in a list, as a data set with `targets`."""

    targets: list[int]


def _of_shapes(train: list[tuple[int, ...]], test: tuple[int, ...]) -> Any:
    """Return a benchmark of one experience whose training samples have these shapes."""
    from avalanche.benchmarks import benchmark_from_datasets

    def part(shapes: list[tuple[int, ...]]) -> Any:
        rows = _Listed((torch.zeros(shape), place % 2) for place, shape in enumerate(shapes))
        rows.targets = [label for _, label in rows]
        return _classification(rows)

    return benchmark_from_datasets(train=[part(train)], test=[part([test, test])])


@pytest.mark.parametrize(
    ("train", "test", "message"),
    [
        (
            [(3, 4, 4), (3, 5, 5)],
            (3, 4, 4),
            "samples of shapes (3, 4, 4) and (3, 5, 5) - expected one shape; transforms 'eval' "
            "resizes, if the benchmark does",
        ),
        (
            [(3, 4, 4), (3, 4, 4)],
            (3, 5, 5),
            "training samples of shape (3, 4, 4), test samples of (3, 5, 5) - expected the same",
        ),
        (
            [(2, 4, 4), (2, 4, 4)],
            (2, 4, 4),
            "a sample of shape (2, 4, 4) and type float32 - expected images (C, H, W) with 1 or 3 "
            "channels, or float vectors",
        ),
    ],
)
def test_samples_of_other_shapes_are_refused(
    train: list[tuple[int, ...]], test: tuple[int, ...], message: str
) -> None:
    with pytest.raises(DataError) as caught:
        from_avalanche(_of_shapes(train, test))
    assert str(caught.value) == f"data set 'avalanche': {message}"


def test_a_scenario_with_a_stream_of_its_own_is_refused() -> None:
    scenario = {"stream": {"kind": "class_incremental"}, "strategies": ["nmc"]}
    with pytest.raises(CilsimError) as caught:
        run_benchmark(_images(), scenario)
    assert str(caught.value) == (
        "run_benchmark: the scenario has a section 'stream' - expected none, the benchmark is the "
        "stream"
    )
