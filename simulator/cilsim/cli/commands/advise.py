"""`cilsim advise`: tries strategies on some data and recommends a scenario."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cilsim.cli.advice_wishes import find_data, wishes_of
from cilsim.cli.discovery import find_plugins
from cilsim.cli.output import write_json
from cilsim.cli.parameters import FILE, json_option, parse_labels, parse_seeds, plugin_option
from cilsim.cli.settings import settings_of, shared_options
from cilsim.cli.several import refuse_several
from cilsim.cli.streams import stdout_reserved
from cilsim.errors import CilsimError, RunFailed

if TYPE_CHECKING:
    from cilsim.advice.proposal import Kind
    from cilsim.advice.ranking import Ranked
    from cilsim.advice.survey import Survey
    from cilsim.cli.climbing import Climb
    from cilsim.plugins import Plugins
    from cilsim.scenario.schema import NamedChoice

KINDS: dict[str, Kind] = {
    "class-incremental": "class_incremental",
    "few-shot": "few_shot_class_incremental",
}


def parse_budget_option(text: str) -> float:
    """Return the seconds of `--budget`."""
    from cilsim.advice.budget import parse_budget

    try:
        return parse_budget(text)
    except ValueError as error:
        raise click.UsageError(f"--budget: {error}") from error


@click.command("advise")
@click.argument("source", metavar="SOURCE")
@click.option(
    "--budget",
    default="30m",
    type=parse_budget_option,
    metavar="TIME",
    help="Time to spend, such as 90s, 30m (the default) or 2h.",
)
@click.option(
    "--set", "overrides", metavar="KEY=VALUE", multiple=True,
    help="Set an option of the data set, such as label=species; may be repeated.",
)  # fmt: skip
@click.option("--stream", type=click.Choice([*KINDS]), help="By default the data decide.")
@click.option("--seeds", default="0-2", type=parse_seeds, metavar="SEEDS", help="By default 0-2.")
@click.option("--strategies", type=parse_labels, metavar="NAMES", help="Try only these.")
@click.option("--backbone", metavar="NAME", help="The network; small or mlp by default.")
@click.option("--weights", type=FILE, help="Pretrained weights for it, kept as they are.")
@click.option("--image-size", type=click.IntRange(8, 1024), help="Side of the images in pixels.")
@click.option(
    "--skip-bad-images", is_flag=True, help="Leave out files that are no readable images."
)
@click.option("--runs", default="runs", type=FILE, show_default=True, help="Folder of all runs.")
@click.option("--out", type=FILE, help="The recommended scenario file.")
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda, cuda:N or mps.")
@plugin_option
@json_option
@shared_options
@click.pass_context
def advise(
    context: click.Context,
    /,
    source: str,
    plugin_files: Sequence[Path],
    as_json: bool,
    **wanted: Any,
) -> int:
    """Try strategies on your data and recommend a scenario.

    SOURCE is a folder of images, a CSV file that lists images, a table (with --set label=COLUMN),
    an .npz file, the name of a data set or a scenario file, of which its data set is taken.
    Strategies that work on cached features come first, then, as long as the budget lasts, those
    that train. All are runs like any other: the same command goes on where the budget ended.
    """
    refuse_several("advise")
    plugins, settings = find_plugins(plugin_files), settings_of(context)
    settings.show_warnings()
    from cilsim.advice.budget import Budget
    from cilsim.advice.proposal import propose
    from cilsim.advice.ranking import best_of, ranking
    from cilsim.cli.advice_places import refuse_places
    from cilsim.cli.advice_scenarios import AdviceScenarios
    from cilsim.cli.advice_text import Advice
    from cilsim.cli.climbing import Climb
    from cilsim.cli.first_look import look_first

    budget = Budget(wanted["budget"])
    with stdout_reserved():
        choice = find_data(source, plugins, wanted)
    wishes = wishes_of(source, choice, wanted)
    only = _named_strategies(wanted["strategies"], plugins)
    _refuse_unknown_backbone(wanted["backbone"], plugins)
    out = wanted["out"] or Path(f"{wishes.name}-recommended.yaml")
    refuse_places(out, wanted["runs"])
    found = _survey(source, choice, plugins)
    proposal = propose(found, KINDS.get(wanted["stream"]))
    if not settings.quiet:
        click.echo(f"{source}: {found.described()}\n{proposal.reason}", err=True)
    climb = Climb(plugins, settings, wanted["runs"], wanted["device"], budget)
    scenarios = AdviceScenarios(found, proposal, wishes, plugins, only)
    ladder = scenarios.ladder()  # what is wrong with it is said before anything is run
    look = look_first(climb, scenarios)
    for scenario in ladder:
        climb.run(scenario)
    told = climb if climb.results or climb.failures else look
    ranked = ranking(told.results, proposal.metric)
    best, trained = best_of(ranked), told is climb
    written = scenarios.recommend(best, out, trained=trained) if best else None
    advice = Advice(
        found, proposal, ranked, told.failures, climb.not_tried(), written, trained=trained
    )
    if not settings.quiet:
        advice.tell()
    if as_json:
        write_json(advice.document())
    elif written is not None:
        click.echo(written)
    return _exit_code(told, ranked)


def _exit_code(told: Climb, ranked: Sequence[Ranked]) -> int:
    if not ranked and not told.failures:
        raise RunFailed(
            "--budget: it ended before a run was finished - give the same command again to go on, "
            "or a larger budget"
        )
    return RunFailed.exit_code if told.failures else 0


def _named_strategies(names: Sequence[str] | None, plugins: Plugins) -> list[str] | None:
    strategies = plugins.registries.strategies
    for name in names or ():
        if name not in strategies:
            raise CilsimError(f"--strategies: {strategies.unknown(name)}")
    return None if names is None else [strategies[name].name for name in names]


def _refuse_unknown_backbone(name: str | None, plugins: Plugins) -> None:
    backbones = plugins.registries.backbones
    if name is not None and name not in backbones:
        raise CilsimError(f"--backbone: {backbones.unknown(name)}")


def _survey(source: str, choice: NamedChoice, plugins: Plugins) -> Survey:
    from cilsim.advice.survey import survey
    from cilsim.registry import load_target
    from cilsim.runner.planning import entry_named

    entry = plugins.registries.datasets[choice.name]
    with entry_named(entry), stdout_reserved():
        facts = load_target(entry.facts["facts"], entry)(choice.options)
    return survey(facts, source)
