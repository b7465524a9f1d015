"""The data set `avalanche`: facts and samples of a benchmark, built once for both."""

from __future__ import annotations

from functools import lru_cache

from cilsim.data.dataset import DataFacts, DataSet
from cilsim.data.places import data_root
from cilsim_avalanche.benchmark_options import BenchmarkOptions


def facts(options: BenchmarkOptions) -> DataFacts:
    """Return the facts of a benchmark; they need avalanche, torch and all of the samples.

    Raises:
        DataError: the benchmark cannot be made or read.
    """
    return load(options).facts


def load(options: BenchmarkOptions) -> DataSet:
    """Return the samples of a benchmark.

    Raises:
        DataError: the benchmark cannot be made or read.
    """
    return _load(options.model_dump_json())


@lru_cache(maxsize=1)
def _load(options_json: str) -> DataSet:
    """Return the data set; check, plan and run ask for the same one, one after the other."""
    from cilsim.avalanche_bridge.named_benchmark import named_benchmark
    from cilsim.avalanche_bridge.reading import benchmark_dataset

    options = BenchmarkOptions.model_validate_json(options_json)
    root = options.root or data_root() / "avalanche"
    made = named_benchmark(options.benchmark, options.options, root, download=options.download)
    return benchmark_dataset(made, tasks=options.tasks, transforms=options.transforms)
