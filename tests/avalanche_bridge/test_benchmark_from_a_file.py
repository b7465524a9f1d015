"""Avalanche benchmarks named in a scenario file."""

from __future__ import annotations

import gzip
import json
import struct
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils.data import TensorDataset

from cilsim.errors import DataError, ScenarioError
from cilsim.testing import Project, ring
from cilsim_avalanche import benchmark_data
from cilsim_avalanche.benchmark_options import BenchmarkOptions

pytestmark = pytest.mark.filterwarnings("ignore")
FACTORY = "benchmarks_of_this_test"
RECIPE = {"epochs": 2, "batch_size": 16, "lr": 0.02, "schedule": "constant"}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.setenv("CILSIM_DATA", str(tmp_path / "data"))
    benchmark_data._load.cache_clear()
    return Project.create(tmp_path)


@pytest.fixture
def factory(monkeypatch: pytest.MonkeyPatch) -> str:
    """A function that draws its class order from torch's global generator, as Avalanche's do."""

    def benchmark(experiences: int, repeat: bool = False) -> Any:
        from avalanche.benchmarks import nc_benchmark, ni_benchmark

        arrays = ring(6, train_per_class=10, test_per_class=4)
        parts = []
        for part in ("train", "test"):
            x, y = (torch.from_numpy(arrays[f"{name}_{part}"]) for name in ("x", "y"))
            dataset = TensorDataset(x, y)
            dataset.targets = y.tolist()
            parts.append(dataset)
        if repeat:
            return ni_benchmark(*parts, experiences)
        return nc_benchmark(*parts, experiences, False)

    module = ModuleType(FACTORY)
    module.benchmark = benchmark  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, FACTORY, module)
    return f"{FACTORY}:benchmark"


def _scenario(
    project: Project, kind: str, dataset: dict[str, Any], strategy: Any, **sections: Any
) -> Any:
    stream = {"kind": kind, "dataset": {"name": "avalanche", **dataset}}
    recipes = {"base_training": RECIPE, "training": RECIPE}
    return project.ring_scenario(strategy, stream, **recipes, **sections)


def test_a_benchmark_of_a_function_runs_and_is_the_same_each_time(
    project: Project, factory: str
) -> None:
    dataset = {"benchmark": factory, "options": {"experiences": 3}}
    streams = []
    for name in ("first", "second"):
        benchmark_data._load.cache_clear()
        outcome = project.run(_scenario(project, "avalanche", dataset, "finetune"), name)
        assert not outcome.failures
        streams.append(outcome.results[0].run.stream)
    assert streams[0] == streams[1]
    assert streams[0].protocol == "3 experiences as given, 2+2+2 new classes"


def test_classes_that_come_again_ask_for_the_other_kind(project: Project, factory: str) -> None:
    dataset = {"benchmark": factory, "options": {"experiences": 3, "repeat": True}}
    with pytest.raises(ScenarioError) as caught:
        project.run(_scenario(project, "avalanche", dataset, "finetune"))
    (problem,) = caught.value.problems
    assert problem.message == (
        "experience 1 of avalanche has samples of classes that came before; use kind "
        "'avalanche_repeated', for strategies that can learn more of them"
    )
    outcome = project.run(_scenario(project, "avalanche_repeated", dataset, "finetune"))
    assert not outcome.failures


def test_other_kinds_split_the_samples_of_a_benchmark_anew(project: Project, factory: str) -> None:
    stream = {
        "kind": "class_incremental",
        "sizes": [4, 2],
        "dataset": {"name": "avalanche", "benchmark": factory, "options": {"experiences": 3}},
    }
    outcome = project.run(
        project.ring_scenario("finetune", stream, base_training=RECIPE, training=RECIPE)
    )
    assert not outcome.failures
    assert len(outcome.results[0].evaluations) == 2


def test_a_data_set_without_experiences_is_refused(project: Project) -> None:
    scenario = project.ring_scenario("finetune", {"kind": "avalanche"})
    with pytest.raises(ScenarioError) as caught:
        project.run(scenario)
    (problem,) = caught.value.problems
    assert problem.message == (
        "arrays has no experiences of its own; use data set 'avalanche', or one with domains"
    )


def _write_idx(path: Path, array: np.ndarray[Any, Any]) -> None:
    header = struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape)
    path.write_bytes(header + array.tobytes())
    path.with_name(f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes()))


def _write_mnist(root: Path) -> np.ndarray[Any, Any]:
    """Write files in MNIST's format and return the training images, four of each digit."""
    folder = root / "MNIST" / "raw"
    folder.mkdir(parents=True)
    generator = np.random.default_rng(0)
    for part, count in (("t10k", 2), ("train", 4)):
        images = generator.integers(0, 256, size=(10 * count, 28, 28), dtype=np.uint8)
        _write_idx(folder / f"{part}-images-idx3-ubyte", images)
        _write_idx(folder / f"{part}-labels-idx1-ubyte", np.arange(10 * count, dtype=np.uint8) % 10)
    return images


def test_a_classic_reads_the_files_that_are_there(tmp_path: Path, project: Project) -> None:
    images = _write_mnist(tmp_path / "data" / "avalanche")
    options = {"n_experiences": 5, "fixed_class_order": [7, 1, 0, 2, 3, 4, 5, 6, 8, 9]}
    dataset = {"benchmark": "SplitMNIST", "options": options}
    scenario = _scenario(project, "avalanche", dataset, "finetune", backbone="small")
    outcome = project.run(scenario)
    assert not outcome.failures
    stream = outcome.results[0].run.stream
    assert [e.labelled for e in stream.experiences] == [8] * 5
    assert stream.class_ids == (1, 7, 0, 2, 3, 4, 5, 6, 8, 9)
    loaded = benchmark_data.load(BenchmarkOptions(**dataset))
    assert loaded.x_train.dtype == np.uint8
    by_pixels = {image.tobytes() for image in images}
    assert {image.tobytes() for image in loaded.x_train} == by_pixels


def test_frozen_permutations_stay(tmp_path: Path, project: Project) -> None:
    _write_mnist(tmp_path / "data" / "avalanche")
    options = BenchmarkOptions(benchmark="PermutedMNIST", options={"n_experiences": 2, "seed": 0})
    loaded = benchmark_data.load(options)
    first, second = (loaded.x_train[loaded.facts.domain_train == index] for index in (0, 1))
    assert not np.array_equal(first[0], second[0])
    np.testing.assert_array_equal(np.sort(first[0].reshape(-1)), np.sort(second[0].reshape(-1)))


def test_nothing_is_downloaded_unless_the_file_says_so(tmp_path: Path, project: Project) -> None:
    options = BenchmarkOptions(benchmark="SplitMNIST", options={"n_experiences": 5})
    with pytest.raises(DataError) as caught:
        benchmark_data.load(options)
    assert str(caught.value) == (
        "data set 'avalanche': SplitMNIST wants to download what is not in "
        f"{tmp_path / 'data' / 'avalanche'} - set 'download: true', or put it there"
    )


def test_an_unknown_benchmark_is_refused(project: Project) -> None:
    with pytest.raises(DataError) as caught:
        benchmark_data.load(BenchmarkOptions(benchmark="SplitMNISST"))
    assert str(caught.value) == (
        "data set 'avalanche': 'SplitMNISST' cannot be imported: AttributeError: module "
        "'avalanche.benchmarks' has no attribute 'SplitMNISST' - expected a function of "
        "avalanche.benchmarks such as SplitMNIST, or package.module:callable"
    )


def test_a_function_that_fails_is_named(project: Project, factory: str) -> None:
    with pytest.raises(DataError) as caught:
        benchmark_data.load(BenchmarkOptions(benchmark=factory, options={"pieces": 3}))
    assert str(caught.value) == (
        f"data set 'avalanche': {factory} fails: TypeError: factory.<locals>.benchmark() got an "
        "unexpected keyword argument 'pieces'"
    )


def test_check_names_what_is_wrong_with_the_benchmark_and_ends_with_2(
    tmp_path: Path, project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    from cilsim.cli.main import main

    path = tmp_path / "split.yaml"
    dataset = {"benchmark": "SplitMNIST", "options": {"n_experiences": 5}}
    path.write_text(json.dumps(_scenario(project, "avalanche", dataset, "finetune")))
    assert main(["check", str(path)]) == 2
    shown = " ".join(capsys.readouterr().err.split())
    assert "SplitMNIST wants to download what is not in" in shown
