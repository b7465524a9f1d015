"""`cilsim bench`: how fast the engine is on this machine, against what it cannot do without."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from cilsim.cli.output import write_json, write_table
from cilsim.cli.parameters import json_option
from cilsim.cli.settings import shared_options
from cilsim.errors import CilsimError
from cilsim.naming import did_you_mean

if TYPE_CHECKING:
    import torch

    from cilsim.bench.rounds import Arm


@click.command("bench")
@click.option(
    "--arm", "names", metavar="NAME", multiple=True, help="Measure this one; may be repeated."
)
@click.option("--quick", is_flag=True, help="One arm of each part of the engine.")
@click.option("--list", "listed", is_flag=True, help="Say which arms there are.")
@click.option("--rounds", type=click.IntRange(1, 1000), default=5, show_default=True)
@click.option("--threads", type=click.IntRange(1, 1024), default=1, show_default=True)
@click.option("--gpu", is_flag=True, help="On CUDA, judged by the clock instead of CPU time.")
@json_option
@shared_options
def bench(
    names: Sequence[str],
    quick: bool,
    listed: bool,
    rounds: int,
    threads: int,
    gpu: bool,
    as_json: bool,
) -> None:
    """Measure the engine on this machine.

    Each arm compares it with a plain loop over the same tensor operations, or with another
    library, in rounds that alternate; the median over the rounds of the ratio within a round is
    what counts. Comparisons with other tools are in the repository: python -m benchmarks.
    """
    from cilsim.bench.catalogue import ARMS, ON_REQUEST, QUICK

    if listed:
        _list(ARMS, as_json)
        return
    chosen = _chosen(ARMS, names, QUICK if quick else [n for n in ARMS if n not in ON_REQUEST])
    _measure({name: ARMS[name] for name in chosen}, rounds, _device(gpu, threads), as_json)


def _list(arms: Mapping[str, Arm], as_json: bool) -> None:
    rows = [(name, arm.summary) for name, arm in arms.items()]
    if as_json:
        write_json([{"arm": name, "summary": summary} for name, summary in rows])
    else:
        write_table(("arm", "compares"), rows)


def _chosen(arms: Mapping[str, Arm], names: Sequence[str], default: Sequence[str]) -> Sequence[str]:
    for name in names:
        if name not in arms:
            raise CilsimError(f"--arm {name}: no such arm{did_you_mean(name, arms)}")
    return names or default


def _device(gpu: bool, threads: int) -> torch.device:
    import torch

    if gpu and not torch.cuda.is_available():
        raise CilsimError("--gpu: torch finds no CUDA device; see `cilsim doctor`, or leave it out")
    torch.set_num_threads(threads)
    return torch.device("cuda" if gpu else "cpu")


def _measure(arms: Mapping[str, Arm], rounds: int, device: torch.device, as_json: bool) -> None:
    from cilsim.bench.machine import describe
    from cilsim.bench.measuring import measure
    from cilsim.bench.table import arm_lines, machine_line

    machine, measured_arms = describe(device), {}
    click.echo(machine_line(machine), err=True)
    for measured in measure(arms, list(arms), rounds, device):
        measured_arms[measured.name] = measured.document()
        for line in () if as_json else ("", *arm_lines(measured)):
            click.echo(line)
    if as_json:
        document: dict[str, Any] = {"machine": machine, "rounds": rounds, "arms": measured_arms}
        write_json(document)
