"""All runs of a scenario: strategies times seeds, each resumed where it was interrupted."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field

import torch

from cilsim.data.dataset import DataSet
from cilsim.data.places import cache_root
from cilsim.errors import CilsimError, Interrupted, RunFailed
from cilsim.features.cache import FeatureCache
from cilsim.plugins import Plugins
from cilsim.records import RunInfo, RunResult, StreamInfo
from cilsim.results.cache import ContentStore
from cilsim.results.run_folder import RunFolder
from cilsim.results.summary import write_summary
from cilsim.runner.assembly import Shared, assemble
from cilsim.runner.blame import plugins_named
from cilsim.runner.conditions import note_conditions
from cilsim.runner.device import choose_device, prepare
from cilsim.runner.planning import plan_stream
from cilsim.runner.pretrained import normalised_for_backbone, weights_identity
from cilsim.runner.progress import StatusKeeper
from cilsim.runner.references import with_references
from cilsim.runner.request import Failure, RunRequest, RunStart, ScenarioOutcome
from cilsim.scenario.resolved import difference, resolved_yaml, scenario_hash
from cilsim.scenario.schema import Scenario, StrategyChoice
from cilsim.strategy.base_training import MemoryStore, Store
from cilsim.streams.plan import StreamPlan

logger = logging.getLogger(__name__)

STORE = "store"
"""Folder of trained bases within the cache."""

FEATURE_BYTES = 1 << 30
"""Features that are kept in memory for reuse by other strategies and later experiences."""


def run_scenario(
    scenario: Scenario, plugins: Plugins, request: RunRequest | None = None
) -> ScenarioOutcome:
    """Run every strategy with every seed, or what an interrupted command left to do.

    A run that fails is reported in the outcome and does not stop the others.

    Raises:
        CilsimError: data, device or run folder cannot be used; nothing has run.
        Interrupted: the user asked to stop; what is done is saved.
    """
    asked = request or RunRequest()
    prepare(scenario.deterministic, scenario.threads)
    device = choose_device(asked.device)
    resolved = resolved_yaml(scenario)
    dataset = normalised_for_backbone(scenario, plugins, _load(scenario, plugins))
    weights = weights_identity(scenario, plugins, dataset)
    folder = RunFolder.open_or_create(
        asked.out,
        scenario.name,
        scenario.source.text,
        resolved,
        scenario_hash(scenario),
        difference,
    )
    with folder:
        shared = Shared(
            scenario, plugins, dataset, device, FeatureCache(FEATURE_BYTES), _store(asked),
            asked.stop, weights,
        )  # fmt: skip
        return _Runs(shared, folder, asked, resolved).execute()


def _load(scenario: Scenario, plugins: Plugins) -> DataSet:
    choice = scenario.stream.dataset
    dataset: DataSet = plugins.registries.datasets[choice.name].load()(choice.options)
    return dataset


def _store(request: RunRequest) -> Store:
    return ContentStore(cache_root() / STORE) if request.cache else MemoryStore()


@dataclass
class _Runs:
    """The runs of one command on one run folder."""

    shared: Shared
    folder: RunFolder
    request: RunRequest
    resolved: str
    results: list[RunResult] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)

    def execute(self) -> ScenarioOutcome:
        note_conditions(self.shared, self._stream(self.shared.scenario.seeds[0])[1], self.folder)
        try:
            for number, (seed, choice) in enumerate(self._jobs(), start=1):
                self._run(number, seed, choice)
        except (Interrupted, KeyboardInterrupt):
            self.folder.status.end("interrupted")
            raise
        except Exception as error:  # a bug: it keeps its traceback, the folder says that it ended
            self.folder.status.end("failed", f"{type(error).__name__}: {error}")
            raise
        self._compare()
        self._end()
        return ScenarioOutcome(self.folder.path, tuple(self.results), tuple(self.failures))

    def _compare(self) -> None:
        names = {choice.label: choice.name for choice in self.shared.scenario.strategies}
        self.results = with_references(self.results, names)

    def _end(self) -> None:
        if self.results:
            write_summary(self.folder, self.results)
        lines = [f"{f.strategy}/seed-{f.seed}: {f.message}" for f in self.failures]
        self.folder.status.end("failed" if lines else "finished", "; ".join(lines))

    def _jobs(self) -> Iterator[tuple[int, StrategyChoice]]:
        for seed in self.shared.scenario.seeds:
            for choice in self.shared.scenario.strategies:
                yield seed, choice

    def _run(self, number: int, seed: int, choice: StrategyChoice) -> None:
        try:
            with plugins_named(self.shared.plugins):
                self.results.append(self._run_one(number, seed, choice))
        except Interrupted:
            raise
        except CilsimError as error:
            logger.error("%s/seed-%d failed: %s", choice.label, seed, error)
            self.failures.append(Failure(choice.label, seed, str(error)))

    def _run_one(self, number: int, seed: int, choice: StrategyChoice) -> RunResult:
        scenario = self.shared.scenario
        plan, stream = self._stream(seed)
        folder = self.folder.seed_folder(choice.label, seed)
        info = RunInfo(
            scenario=scenario.name,
            strategy=choice.label,
            seed=seed,
            stream=stream,
            device=str(self.shared.device),
            folder=folder.path,
            options=choice.options.model_dump(mode="json"),
            calibrators=tuple(calibrator.name for calibrator in choice.calibrators),
        )
        run, manager = assemble(self.shared, plan, info, choice, folder)
        start = RunStart(
            run=info,
            number=number,
            of=len(scenario.seeds) * len(scenario.strategies),
            replay=tuple(run.evaluations),
            resume_step=run.steps_behind(),
            resolved=self.resolved,
            environment=self._environment(),
        )
        for reporter in (*self.request.reporters(start), StatusKeeper(self.folder.status)):
            manager.register(reporter)
        try:
            return run.execute()
        except (Exception, KeyboardInterrupt) as error:
            manager.hook.cilsim_on_run_error(run=info, error=_as_ours(error))
            raise

    def _environment(self) -> dict[str, str]:
        return {
            "device": str(self.shared.device),
            "threads": str(torch.get_num_threads()),
            "torch": torch.__version__,
            "deterministic": str(self.shared.scenario.deterministic).lower(),
        }

    def _stream(self, seed: int) -> tuple[StreamPlan, StreamInfo]:
        shared = self.shared
        return plan_stream(shared.scenario, shared.plugins, seed, shared.dataset.facts)


def _as_ours(error: BaseException) -> CilsimError:
    """Return what reporters are told about an error."""
    if isinstance(error, CilsimError):
        return error
    told: CilsimError = RunFailed(f"{type(error).__name__}: {error}")
    if isinstance(error, KeyboardInterrupt):
        told = Interrupted("stopped at once")
    told.__cause__ = error
    return told
