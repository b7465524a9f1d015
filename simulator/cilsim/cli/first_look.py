"""The first look of `cilsim advise`: it is told in two lines, and no budget cuts it short."""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from dataclasses import replace

import click

from cilsim.advice.budget import Budget
from cilsim.advice.first_look import looked_at
from cilsim.advice.ranking import ranking
from cilsim.cli.advice_scenarios import AdviceScenarios
from cilsim.cli.climbing import Climb
from cilsim.records import RunResult
from cilsim.report.formatting import percent


def look_first(climb: Climb, scenarios: AdviceScenarios) -> Climb:
    """Return what came of a first look; nothing where none is taken.

    Raises:
        CilsimError: nothing could be run.
        Interrupted: the user asked to stop.
    """
    quiet = replace(climb.settings, level=logging.ERROR)
    look = Climb(climb.plugins, quiet, climb.runs, climb.device, Budget(math.inf))
    scenario = scenarios.first_look()
    if scenario is None:
        return look
    telling = not climb.settings.quiet
    if telling:
        labels = ", ".join(choice.label for choice in scenario.strategies)
        click.echo(f"first look, on {looked_at(scenarios.found)}: {labels}", err=True)
    look.run(scenario)
    if telling and look.results:
        click.echo(_result(look.results, scenarios.proposal.metric), err=True)
    return look


def _result(results: Sequence[RunResult], metric: str) -> str:
    ranked = ranking(results, metric)
    figures = ", ".join(f"{one.strategy} {percent(one.interval.mean)}" for one in ranked)
    return f"{metric} in %, seed {results[0].run.seed}: {figures}"
