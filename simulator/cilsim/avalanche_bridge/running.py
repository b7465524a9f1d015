"""Running strategies of ours on an Avalanche benchmark that is at hand in Python."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cilsim.avalanche_bridge.reading import Tasks, benchmark_dataset
from cilsim.avalanche_bridge.sample_arrays import Transforms
from cilsim.errors import CilsimError
from cilsim.options import Options
from cilsim.runner.from_python import InMemory, run
from cilsim.runner.request import ScenarioOutcome
from cilsim.streams.as_given import only_new_classes

DATASET = "python_benchmark"
"""How reports name the samples of a benchmark that was handed to `run_benchmark`."""


def run_benchmark(
    benchmark: Any,
    scenario: Mapping[str, Any],
    *,
    tasks: Tasks | None = None,
    transforms: Transforms = "drop",
    plugins: Sequence[tuple[str, Any]] = (),
    out: Path | str = "runs",
    device: str = "auto",
    cache: bool = True,
) -> ScenarioOutcome:
    """Run strategies on a benchmark, whose experiences are kept as they are.

    Args:
        benchmark: see `from_avalanche`.
        scenario: what a scenario file would hold, without `stream`.
        tasks: see `from_avalanche`.
        transforms: see `sample_array`.
        plugins: plugins that are not installed, as (name, module or object).
        out: folder that holds the run folders.
        device: `auto`, `cpu`, `cuda`, `cuda:<n>` or `mps`.
        cache: whether base training is reused across calls.

    Raises:
        DataError: the benchmark cannot be read.
        ScenarioError: the scenario cannot be used; every complaint at once.
        CilsimError: the scenario has a stream of its own; device or run folder cannot be used.
    """
    if "stream" in scenario:
        raise CilsimError(
            "run_benchmark: the scenario has a section 'stream' - expected none, the benchmark is "
            "the stream"
        )
    dataset = benchmark_dataset(benchmark, DATASET, tasks, transforms)
    repeated = only_new_classes(Options(), dataset.facts)
    stream = {"kind": "avalanche_repeated" if repeated else "avalanche", "dataset": DATASET}
    extra = [*plugins, (DATASET, InMemory(dataset, "an Avalanche benchmark"))]
    return run({**scenario, "stream": stream}, plugins=extra, out=out, device=device, cache=cache)
