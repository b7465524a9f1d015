"""What a scenario will take: seconds, memory and disk, from a part of its samples.

Rests on two assumptions: learning takes a time that grows in proportion to samples and, apart from
a part that is measured, to epochs; evaluation grows in proportion to test samples.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from cilsim.plugins import Plugins
from cilsim.runner.probe import Probe, Prober, Probes
from cilsim.runner.thinning import sizes_of
from cilsim.scenario.schema import Scenario

FEW, MORE = 1, 5
"""Epochs of the two measurements, or as many as the scenario has if these are fewer."""

Sizes = Sequence[tuple[int, int]]


@dataclass(frozen=True)
class Estimate:
    """What all runs of a scenario will take.

    Attributes:
        seconds: of learning and evaluation, all strategies and seeds, by label of the strategy; a
            base that strategies share counts for the first of them.
        first_use_seconds: that a command takes once, because whatever is used first is slower.
        memory_bytes: most memory in use: of a CUDA device what tensors take, else of the process.
        results_bytes: of the run folder, without TensorBoard files and reports.
        cache_bytes: of trained bases and features in the cache.
        device: on which it was measured.
        share: of the training samples that the measurement used.
    """

    seconds: dict[str, float]
    first_use_seconds: float
    memory_bytes: int
    results_bytes: int
    cache_bytes: int
    device: str
    share: float


def estimate(scenario: Scenario, plugins: Plugins, device: str = "auto") -> Estimate:
    """Run a scenario on part of its samples, one and five epochs, and extrapolate.

    Raises:
        CilsimError: data or device cannot be used, or a strategy fails.
    """
    epochs = scenario.base_training.epochs, scenario.training.epochs
    few = min(FEW, epochs[0]), min(FEW, epochs[1])
    more = min(MORE, epochs[0]), min(MORE, epochs[1])
    with TemporaryDirectory(prefix="cilsim-plan-") as folder:
        prober = Prober(scenario, plugins, device, Path(folder))
        cold, short, long = prober.probe(*few), prober.probe(*few), prober.probe(*more)
    thin, full = sizes_of(prober.thin), sizes_of(prober.full)
    seeds = len(scenario.seeds)
    ratio = _total(full) / max(_total(thin), 1)
    left_out = 1 - 1 / ratio
    x_bytes = prober.dataset.x_train.nbytes + prober.dataset.x_test.nbytes
    resident = scenario.data_on_device is not False
    return Estimate(
        seconds={
            label: seeds * seconds(short, long, label, (few, more, epochs), (thin, full))
            for label in long.by_label
        },
        first_use_seconds=max(_spent(cold) - _spent(short), 0.0),
        memory_bytes=long.peak_bytes + (round(x_bytes * left_out) if resident else 0),
        results_bytes=seeds * sum(_results(one, thin, full) for one in long.by_label.values()),
        cache_bytes=seeds * round(long.base_bytes + long.feature_bytes * ratio),
        device=str(prober.device),
        share=sum(train for train, _ in thin) / max(sum(train for train, _ in full), 1),
    )


def seconds(
    short: Probes,
    long: Probes,
    label: str,
    epochs: tuple[tuple[int, int], tuple[int, int], tuple[int, int]],
    sizes: tuple[Sizes, Sizes],
) -> float:
    """Return the seconds of one run.

    Args:
        short: measured with few epochs.
        long: measured with more.
        label: of the strategy.
        epochs: of the base and of later experiences: of `short`, of `long` and of the scenario.
        sizes: samples per experience, of the measurements and of the scenario.
    """
    total = 0.0
    measured = short.by_label[label], long.by_label[label]
    for index, (thin, full) in enumerate(zip(*sizes, strict=True)):
        few, more, all_ = (pair[min(index, 1)] for pair in epochs)
        first, second = (probe.train[index] for probe in measured)
        by_epoch = max(second - first, 0.0) / (more - few) if more > few else 0.0
        total += (second + by_epoch * (all_ - more)) * _ratio(full[0], thin[0])
        total += min(probe.evaluate[index] for probe in measured) * _ratio(full[1], thin[1])
    return total


def _spent(probes: Probes) -> float:
    return sum(sum(probe.train) + sum(probe.evaluate) for probe in probes.by_label.values())


def _results(probe: Probe, thin: Sizes, full: Sizes) -> int:
    """Return the bytes of a run's folder; predictions grow with the test samples."""
    ratio = _ratio(sum(test for _, test in full), sum(test for _, test in thin))
    return probe.results_bytes + round(probe.prediction_bytes * ratio)


def _ratio(full: int, thin: int) -> float:
    return full / thin if thin else 1.0


def _total(sizes: Sizes) -> int:
    """Return the number of training and of test samples."""
    return sum(train for train, _ in sizes) + sizes[-1][1]
