"""`cilsim sweep`: strategies x scenarios x seeds x options, many at a time."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from cilsim.cli.discovery import find_plugins
from cilsim.cli.output import write_json, write_table
from cilsim.cli.parameters import FILE, json_option, numbers_in, plugin_option, run_options
from cilsim.cli.settings import settings_of, shared_options
from cilsim.cli.several import refuse_several
from cilsim.cli.streams import stdout_reserved
from cilsim.cli.sweep_outcome import describe_cell
from cilsim.cli.sweeping import ANY_CLUSTER, Sweeping
from cilsim.errors import CilsimError
from cilsim.sweep.cell import Cell, CellState
from cilsim.sweep.load import Sweep, load_sweep
from cilsim.sweep.place import SweepFolder


def parse_only(text: str) -> tuple[int, ...]:
    """Return the numbers of cells in `3`, `0-4` or `1,3`."""
    return numbers_in(text, "--only", "runs")


@click.command("sweep")
@click.argument("file", metavar="SWEEP.yaml", type=FILE)
@click.option("--out", default="runs", type=FILE, show_default=True, help="Folder of all runs.")
@click.option(
    "--workers", type=click.IntRange(1, 10_000), metavar="N",
    help="Runs at a time; 1 by default, with --ray as many as there is room for.",
)  # fmt: skip
@click.option(
    "--threads", type=click.IntRange(1, 1024), metavar="N",
    help="Threads of each run; by default the cores are shared, with --ray it is 1.",
)  # fmt: skip
@click.option(
    "--ray", "ray_address", is_flag=False, flag_value=ANY_CLUSTER, metavar="[ADDRESS]",
    help="Run on a Ray cluster: that of RAY_ADDRESS, one that runs here, or --ray=ADDRESS.",
)  # fmt: skip
@click.option(
    "--gpus-per-run", type=click.FloatRange(0, 64), default=0.0, metavar="N",
    help="GPUs that each run asks Ray for; may be a fraction.",
)  # fmt: skip
@click.option(
    "--only", type=parse_only, metavar="NUMBERS", help="Only these runs, such as 3 or 0-4."
)
@click.option("--dry-run", is_flag=True, help="List the runs and how far each is.")
@click.option("--slurm-script", is_flag=True, help="Write a script for sbatch to stdout.")
@run_options
@plugin_option
@json_option
@shared_options
@click.pass_context
def sweep(
    context: click.Context,
    /,
    file: Path,
    out: Path,
    only: tuple[int, ...] | None,
    dry_run: bool,
    slurm_script: bool,
    plugin_files: Sequence[Path],
    as_json: bool,
    **how: Any,
) -> int:
    """Run strategies x scenarios x seeds x options, many at a time.

    Each run has a folder of its own below that of the sweep. Given again, the command goes on:
    what is finished is left alone, all else is resumed. What failed or was lost is started again.
    The path of the sweep's folder is written to stdout; all else goes to stderr.
    """
    settings = settings_of(context)
    refuse_several("sweep")
    plugins = find_plugins(plugin_files)
    with stdout_reserved():
        loaded = load_sweep(file, plugins.registries)
    settings.show_warnings()
    cells, folder = _selected(loaded, only), SweepFolder(out / loaded.name)
    states = folder.check(cells)
    if dry_run:
        _list(cells, states, as_json)
        return 0
    sweeping = Sweeping(loaded, folder, settings, plugin_files, **how)
    if slurm_script:
        _write_script(file, out, cells, states, sweeping)
        return 0
    return sweeping.run(cells, as_json)


def _selected(loaded: Sweep, only: tuple[int, ...] | None) -> list[Cell]:
    if only is None:
        return list(loaded.cells)
    count = len(loaded.cells)
    for number in only:
        if number >= count:
            raise CilsimError(
                f"--only: there is no run {number}; the sweep has runs 0 to {count - 1}"
            )
    return [loaded.cells[number] for number in only]


def _list(cells: Sequence[Cell], states: Sequence[CellState], as_json: bool) -> None:
    rows = list(zip(cells, states, strict=True))
    if as_json:
        write_json([describe_cell(cell, state.value) for cell, state in rows])
        return
    write_table(
        ("number", "run", "state"),
        [(str(cell.number), cell.name, state.value) for cell, state in rows],
    )
    left = sum(state is not CellState.FINISHED for state in states)
    click.echo(f"{len(cells)} runs, {left} to do", err=True)


def _write_script(
    file: Path, out: Path, cells: Sequence[Cell], states: Sequence[CellState], sweeping: Sweeping
) -> None:
    rows = zip(cells, states, strict=True)
    left = [cell.number for cell, state in rows if state is not CellState.FINISHED]
    if not left:
        raise CilsimError(f"--slurm-script: all runs of {file} are finished")
    click.echo(sweeping.array_script(file, out, left), nl=False)
