"""A scenario on a small part of its samples and for few epochs, to be timed and weighed."""

from __future__ import annotations

import resource
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from cilsim.plugins import Plugins
from cilsim.records import RunInfo
from cilsim.results.cache import ContentStore
from cilsim.results.seed_folder import SeedFolder
from cilsim.results.seed_results import PREDICTIONS
from cilsim.runner.assembly import Shared, assemble
from cilsim.runner.blame import plugins_named
from cilsim.runner.device import choose_device, prepare
from cilsim.runner.factories import load_dataset
from cilsim.runner.feature_keeping import feature_cache
from cilsim.runner.interruption import StopRequest
from cilsim.runner.planning import plan_stream
from cilsim.runner.pretrained import normalised_for_backbone, weights_identity
from cilsim.runner.thinning import thinned
from cilsim.scenario.recipe import Recipe
from cilsim.scenario.schema import Scenario


@dataclass(frozen=True)
class Probe:
    """What one strategy took on part of the samples.

    Attributes:
        train: seconds of learning, by experience.
        evaluate: seconds of evaluation, by experience.
        results_bytes: of its folder without predictions.
        prediction_bytes: of its predictions.
    """

    train: tuple[float, ...]
    evaluate: tuple[float, ...]
    results_bytes: int
    prediction_bytes: int


@dataclass(frozen=True)
class Probes:
    """One probe of each strategy, and what all of them share.

    Attributes:
        by_label: the probes by label of the strategy.
        base_bytes: of trained bases in the cache.
        feature_bytes: of features in the cache.
        peak_bytes: most memory that was in use: of a CUDA device what tensors took, else of the
            process.
    """

    by_label: Mapping[str, Probe]
    base_bytes: int
    feature_bytes: int
    peak_bytes: int


class Prober:
    """Probes a scenario on its device.

    Args:
        scenario: the checked scenario; of its seeds the first counts.
        plugins: what is installed.
        device: as for `RunRequest`.
        folder: an empty folder for results and cache.

    Raises:
        CilsimError: data or device cannot be used.
    """

    def __init__(self, scenario: Scenario, plugins: Plugins, device: str, folder: Path) -> None:
        prepare(scenario.deterministic, scenario.threads)
        self.scenario, self.plugins, self.folder = scenario, plugins, folder
        self.device = choose_device(device)
        dataset = load_dataset(scenario.stream.dataset, plugins)
        self.dataset = normalised_for_backbone(scenario, plugins, dataset)
        self.full, _ = plan_stream(scenario, plugins, scenario.seeds[0], dataset.facts)
        self.thin = thinned(
            self.full,
            self.dataset.facts,
            (scenario.base_training.batch_size, scenario.training.batch_size),
        )
        self._made = 0

    def probe(self, base_epochs: int, epochs: int) -> Probes:
        """Return what every strategy takes if both recipes have so many epochs.

        Raises:
            CilsimError: a strategy fails.
        """
        self._made += 1
        folder = self.folder / str(self._made)
        scenario = replace(
            self.scenario,
            base_training=_shortened(self.scenario.base_training, base_epochs),
            training=_shortened(self.scenario.training, epochs),
        )
        shared = self._shared(scenario, ContentStore(folder / "store"))
        if self.device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(self.device)
        labels = [choice.label for choice in self.scenario.strategies]
        probes = {label: self._run(shared, label, folder / label) for label in labels}
        shared.features.flush()
        return Probes(
            probes,
            bytes_below(folder / "store" / "base"),
            bytes_below(folder / "store" / "features"),
            self._peak(),
        )

    def _shared(self, scenario: Scenario, store: ContentStore) -> Shared:
        return Shared(
            scenario, self.plugins, self.dataset, self.device,
            feature_cache(scenario, self.plugins, self.device, store), store, StopRequest(),
            weights_identity(scenario, self.plugins, self.dataset),
        )  # fmt: skip

    def _run(self, shared: Shared, label: str, path: Path) -> Probe:
        seed = self.scenario.seeds[0]
        [choice] = [one for one in self.scenario.strategies if one.label == label]
        stream = self.thin.info(self.scenario.stream.dataset.name, self.dataset.facts)
        info = RunInfo(self.scenario.name, label, seed, stream, str(self.device), path)
        with plugins_named(self.plugins):
            run, _ = assemble(shared, self.thin, info, choice, SeedFolder(path, label, seed))
            result = run.execute()
        predictions = bytes_below(path / PREDICTIONS)
        return Probe(
            train=tuple(one.seconds["train"] for one in result.evaluations),
            evaluate=tuple(one.seconds["evaluate"] for one in result.evaluations),
            results_bytes=bytes_below(path) - predictions,
            prediction_bytes=predictions,
        )

    def _peak(self) -> int:
        if self.device.type == "cuda":
            return torch.cuda.max_memory_allocated(self.device)
        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def _shortened(recipe: Recipe, epochs: int) -> Recipe:
    return recipe.model_copy(update={"epochs": epochs, "warmup_epochs": 0})


def bytes_below(folder: Path) -> int:
    """Return the size of all files below a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
