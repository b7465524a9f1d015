"""Carries a sweep out on behalf of `cilsim sweep`, and tells what came out of it."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cilsim.cli.busyness import prepare_environment
from cilsim.cli.last_words import tell_at_once
from cilsim.cli.output import write_json
from cilsim.cli.sweep_outcome import describe_sweep, failures_in, stop_in
from cilsim.errors import Interrupted, RunFailed, RunFolderError
from cilsim.index.run_index import RunIndex
from cilsim.runner.interruption import AT_ONCE, StopRequest, stop_on_signals
from cilsim.sweep.cell import Cell, threads_in
from cilsim.sweep.event_log import EventLog
from cilsim.sweep.job import Job
from cilsim.sweep.load import Sweep
from cilsim.sweep.place import SweepFolder
from cilsim.sweep.ray_workers import RayWorkers
from cilsim.sweep.results import read_finals, results_table, write_results
from cilsim.sweep.schedule import Progress, Schedule
from cilsim.sweep.slurm import array_script
from cilsim.sweep.view import SweepView
from cilsim.sweep.workers import LocalWorkers, Workers, threads_per_worker

if TYPE_CHECKING:
    from cilsim.cli.settings import Settings

ANY_CLUSTER = "any"
"""What `--ray` without an address stands for."""
AGAIN = "give the same command again to go on"
WORKER = ("-m", "cilsim.cli.worker")

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Sweeping:
    """How a sweep is to be run.

    Attributes:
        sweep: what is to be run.
        folder: where.
        settings: how much is told.
        plugin_files: plugins that every run needs.
        workers: runs at a time, None for the default.
        threads: of each run, None for the default.
        ray_address: of a Ray cluster, `any` for any, None for processes here.
        gpus_per_run: GPUs that each run asks Ray for.
        device: as for `cilsim run`.
        cache: as for `cilsim run`.
        tensorboard: as for `cilsim run`.
        checkpoint_every: as for `cilsim run`.
    """

    sweep: Sweep
    folder: SweepFolder
    settings: Settings
    plugin_files: Sequence[Path]
    workers: int | None
    threads: int | None
    ray_address: str | None
    gpus_per_run: float
    device: str | None
    cache: bool
    tensorboard: bool
    checkpoint_every: str | None

    def run(self, cells: Sequence[Cell], as_json: bool) -> int:
        """Run cells, tell the results of the whole sweep, and return the exit code.

        Raises:
            CilsimError: nothing could be run.
            Interrupted: the user asked to stop.
        """
        prepare_environment()
        progress = [Progress(cell, self.folder.of(cell)) for cell in cells]
        view, log = SweepView(self.settings.quiet), EventLog(self.folder.events)
        with self._workers() as workers:
            stop = StopRequest()
            schedule = Schedule(progress, workers, self._job, self.sweep.retries, view, log, stop)
            try:
                with stop_on_signals(stop, lambda said: tell_at_once(f"{said}\n{AGAIN}")):
                    schedule.run()
            except KeyboardInterrupt as error:
                raise Interrupted(f"{AT_ONCE}\n{AGAIN}") from error
            finally:
                view.close()
        self._refresh_index()
        return self._tell(progress, as_json)

    def array_script(self, file: Path, out: Path, numbers: Sequence[int]) -> str:
        """Return the script for `sbatch` that runs the cells of these numbers."""
        command = ["cilsim", "sweep", str(file), "--out", str(out), *self._options()]
        threads = self.threads or threads_per_worker(1)
        self.folder.own.mkdir(parents=True, exist_ok=True)  # SLURM does not make it
        return array_script(
            self.sweep.name, numbers, command=command, folder=self.folder.own, threads=threads,
            at_once=self.workers,
        )  # fmt: skip

    @contextmanager
    def _workers(self) -> Iterator[Workers]:
        if self.ray_address is None:
            yield LocalWorkers(self.workers or 1)
            return
        address = None if self.ray_address == ANY_CLUSTER else self.ray_address
        workers = RayWorkers(
            address, self.threads or 1, self.gpus_per_run, self.sweep.retries, self.workers
        )
        try:
            yield workers
        finally:
            workers.close()

    def _job(self, cell: Cell, folder: Path) -> Job:
        file = self.folder.write_cell(cell).resolve()
        out = self.folder.path.resolve()
        command = ("run", str(file), "--out", str(out), *self._options())
        return Job(
            name=cell.name,
            arguments=(*WORKER, *command),
            folder=out / cell.name,
            log=self.folder.log_of(cell).resolve(),
            threads=threads_in(folder) or self._threads(),
            timeout=self.sweep.timeout,
        )

    def _threads(self) -> int:
        if self.threads is not None:
            return self.threads
        return 1 if self.ray_address is not None else threads_per_worker(self.workers or 1)

    def _options(self) -> list[str]:
        """Return the options of `cilsim run` that were given."""
        options = [] if self.device is None else ["--device", self.device]
        if self.checkpoint_every is not None:
            options += ["--checkpoint-every", self.checkpoint_every]
        options += [] if self.cache else ["--no-cache"]
        options += [] if self.tensorboard else ["--no-tensorboard"]
        return options + [word for path in self.plugin_files for word in _plugin(path)]

    def _refresh_index(self) -> None:
        try:
            with RunIndex(self.folder.path.parent) as index:
                index.refresh()
        except RunFolderError as error:  # `cilsim runs` makes up for it
            logger.warning("%s", error)

    def _tell(self, progress: Sequence[Progress], as_json: bool) -> int:
        finals = read_finals(self.sweep.cells, self.folder.path)
        write_results(self.sweep.cells, finals, self.folder.path)
        if finals and not self.settings.quiet:
            table = results_table(self.sweep.cells, finals, sys.stderr.encoding or "utf-8")
            click.echo(f"\n{table}\n", err=True)
        if as_json:
            write_json(describe_sweep(self.folder, progress, finals))
        else:
            click.echo(self.folder.path)
        stopped, failed = stop_in(progress), failures_in(progress)
        if stopped:
            raise Interrupted(f"{stopped}\n{AGAIN}")
        if failed:
            logs = self.folder.own / "logs"
            click.echo(f"error: {failed}; their lines are in {logs}; {AGAIN}", err=True)
            return RunFailed.exit_code
        return 0


def _plugin(path: Path) -> tuple[str, str]:
    return "--plugin", str(path.resolve())
