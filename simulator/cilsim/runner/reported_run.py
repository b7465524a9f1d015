"""One run of a command: put together, its reporters told of it, executed and sealed."""

from __future__ import annotations

from dataclasses import dataclass

import pluggy
import torch

from cilsim.records import RunInfo, RunResult
from cilsim.results.seed_folder import SeedFolder
from cilsim.results.status import StatusFile
from cilsim.runner.assembly import Shared, assemble
from cilsim.runner.blame import plugins_named
from cilsim.runner.failures import as_ours
from cilsim.runner.guard import Guard
from cilsim.runner.planning import plan_stream
from cilsim.runner.progress import StatusKeeper
from cilsim.runner.request import Reporters, RunStart
from cilsim.runner.run import Run
from cilsim.runner.same_start import copy_seed_folder
from cilsim.scenario.schema import StrategyChoice


@dataclass(frozen=True)
class ReportedRun:
    """One strategy with one seed, and who is told of it.

    Attributes:
        shared: what it has in common with the other runs.
        choice: the strategy.
        folder: where its results go; the seed is the folder's.
        status: of the run folder.
        reporters: makes the reporters.
        resolved: the resolved scenario as YAML.
        guard: knows whose code is at work.
    """

    shared: Shared
    choice: StrategyChoice
    folder: SeedFolder
    status: StatusFile
    reporters: Reporters
    resolved: str
    guard: Guard

    def execute(self, number: int) -> RunResult:
        """Do the run, or what an interrupted command has left of it.

        Args:
            number: position among the runs of the command, from 1.

        Raises:
            CilsimError: it failed.
            Interrupted: the user asked to stop; the state is saved.
        """
        copy_seed_folder(self.shared.processes, self.folder)
        with plugins_named(self.shared.plugins, self.guard):
            run, manager = self._assembled()
        self._register_reporters(run, manager, number)
        try:
            with plugins_named(self.shared.plugins, self.guard):
                result = run.execute()
            self.folder.seal()
            return result
        except (Exception, KeyboardInterrupt) as error:
            manager.hook.cilsim_on_run_error(run=run.info, error=as_ours(error))
            raise
        finally:
            self.shared.features.flush()

    def _assembled(self) -> tuple[Run, pluggy.PluginManager]:
        shared, scenario = self.shared, self.shared.scenario
        plan, stream = plan_stream(scenario, shared.plugins, self.folder.seed, shared.dataset.facts)
        info = RunInfo(
            scenario=scenario.name,
            strategy=self.choice.label,
            seed=self.folder.seed,
            stream=stream,
            device=str(shared.device),
            folder=self.folder.path,
            options=self.choice.options.model_dump(mode="json"),
            calibrators=tuple(calibrator.name for calibrator in self.choice.calibrators),
        )
        return assemble(shared, plan, info, self.choice, self.folder, self.guard)

    def _register_reporters(self, run: Run, manager: pluggy.PluginManager, number: int) -> None:
        if run.evaluations:  # a status that was lost learns how far it had come
            done, of = len(run.evaluations), len(run.info.stream.experiences)
            self.status.advance(self.choice.label, self.folder.seed, experience=done, of=of)
        scenario = self.shared.scenario
        start = RunStart(
            run=run.info,
            number=number,
            of=len(scenario.seeds) * len(scenario.strategies),
            replay=tuple(run.evaluations),
            resume_step=run.steps_behind(),
            resolved=self.resolved,
            environment=self._environment(),
        )
        for reporter in (*self.reporters(start), StatusKeeper(self.status)):
            manager.register(reporter)

    def _environment(self) -> dict[str, str]:
        processes = self.shared.processes.count
        return {
            "device": str(self.shared.device),
            "threads": str(torch.get_num_threads()),
            "torch": torch.__version__,
            "deterministic": str(self.shared.scenario.deterministic).lower(),
            **({"processes": str(processes)} if processes > 1 else {}),
        }
