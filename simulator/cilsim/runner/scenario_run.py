"""All runs of a scenario: strategies times seeds, each resumed where it was interrupted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field

from cilsim.data.places import store_root
from cilsim.data.residency import resident
from cilsim.distributed.failing import led, told_apart
from cilsim.errors import (
    CilsimError,
    Interrupted,
    OutOfStep,
    RunFailed,
    RunFolderError,
    in_one_line,
)
from cilsim.plugins import Plugins
from cilsim.records import RunResult
from cilsim.results.cache import ContentStore
from cilsim.results.run_folder import RunFolder
from cilsim.results.status import State
from cilsim.results.summary import write_summary
from cilsim.runner.assembly import Shared
from cilsim.runner.conditions import note_conditions
from cilsim.runner.device import choose_device, prepare
from cilsim.runner.factories import load_dataset
from cilsim.runner.failures import forget_failure, note_failure
from cilsim.runner.feature_keeping import base_store, feature_cache
from cilsim.runner.guard import Guard
from cilsim.runner.planning import plan_stream
from cilsim.runner.pretrained import normalised_for_backbone, weights_identity
from cilsim.runner.references import with_references
from cilsim.runner.reported_run import ReportedRun
from cilsim.runner.request import Failure, RunRequest, ScenarioOutcome
from cilsim.runner.same_start import require_same_start
from cilsim.runner.watch import Watch
from cilsim.scenario.resolved import difference, resolved_yaml, scenario_hash
from cilsim.scenario.schema import Scenario, StrategyChoice


def run_scenario(
    scenario: Scenario, plugins: Plugins, request: RunRequest | None = None
) -> ScenarioOutcome:
    """Run every strategy with every seed, or what an interrupted command left to do.

    A run that fails is reported in the outcome and does not stop the others.

    Raises:
        CilsimError: data, device or run folder cannot be used; nothing has run.
        Interrupted: the user asked to stop; what is done is saved.
        OutOfStep: one of several processes ended or failed alone; what was stored is kept.
    """
    asked = request or RunRequest()
    with told_apart(asked.processes, scenario.name):
        return _run_scenario(scenario, plugins, asked)


def _run_scenario(scenario: Scenario, plugins: Plugins, asked: RunRequest) -> ScenarioOutcome:
    processes = asked.processes
    prepare(scenario.deterministic, scenario.threads)
    device = choose_device(asked.device)
    resolved = resolved_yaml(scenario)
    dataset = load_dataset(scenario.stream.dataset, plugins)
    dataset = normalised_for_backbone(scenario, plugins, dataset)
    weights = weights_identity(scenario, plugins, dataset)
    require_same_start(processes, scenario, dataset, device)
    with led(processes):
        folder = RunFolder.open_or_create(
            asked.out,
            scenario.name,
            scenario.source.text,
            resolved,
            scenario_hash(scenario),
            difference,
        )
    with folder:
        store = ContentStore(store_root()) if asked.cache else None
        shared = Shared(
            scenario, plugins, dataset, device,
            feature_cache(scenario, plugins, device, store, processes),
            base_store(store, processes), asked.stop, weights,
            resident(dataset, scenario.data_on_device, device), processes,
        )  # fmt: skip
        return _Runs(shared, folder, asked, resolved).execute()


@dataclass
class _Runs:
    """The runs of one command on one run folder."""

    shared: Shared
    folder: RunFolder
    request: RunRequest
    resolved: str
    results: list[RunResult] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    watch: Watch = field(default_factory=Watch)

    def execute(self) -> ScenarioOutcome:
        shared = self.shared
        first = shared.scenario.seeds[0]
        _, stream = plan_stream(shared.scenario, shared.plugins, first, shared.dataset.facts)
        with led(shared.processes):
            note_conditions(shared, stream, self.folder)
        try:
            with self.watch.watching():
                for number, (seed, choice) in enumerate(self._jobs(), start=1):
                    self._run(number, seed, choice)
            self._compare()
            self._end()
        except (Interrupted, KeyboardInterrupt):
            self._end_early("interrupted")
            raise
        except RunFolderError as error:
            self._end_early("failed", str(error))
            raise RunFailed(str(error)) from error
        except OutOfStep as error:
            self._end_early("failed", str(error))
            raise
        except Exception as error:  # a bug: it keeps its traceback, the folder says that it ended
            self._end_early("failed", in_one_line(error))
            raise
        return ScenarioOutcome(self.folder.path, tuple(self.results), tuple(self.failures))

    def _compare(self) -> None:
        names = {choice.label: choice.name for choice in self.shared.scenario.strategies}
        self.results = with_references(self.results, names)

    def _end(self) -> None:
        if self.results:
            write_summary(self.folder, self.results)
            self.request.reports(self.folder.path, self.results)
        lines = [f"{f.strategy}/seed-{f.seed}: {f.message}" for f in self.failures]
        self.folder.status.end("failed" if lines else "finished", "; ".join(lines))

    def _end_early(self, state: State, error: str = "") -> None:
        with suppress(RunFolderError):  # why it ends is what the user has to know
            self.folder.status.end(state, error)

    def _jobs(self) -> Iterator[tuple[int, StrategyChoice]]:
        for seed in self.shared.scenario.seeds:
            for choice in self.shared.scenario.strategies:
                yield seed, choice

    def _run(self, number: int, seed: int, choice: StrategyChoice) -> None:
        folder = self.folder.seed_folder(choice.label, seed)
        run = ReportedRun(
            self.shared, choice, folder, self.folder.status, self.request.reporters,
            self.resolved, Guard(watch=self.watch),
        )  # fmt: skip
        what = f"{self.shared.scenario.name}/run {number}"
        try:
            with told_apart(self.shared.processes, what):
                self.results.append(run.execute(number))
            forget_failure(folder)
        except (Interrupted, OutOfStep, RunFolderError):  # what cannot be written ends all others
            raise
        except CilsimError as error:
            note_failure(folder, error)
            self.failures.append(Failure(choice.label, seed, str(error)))
