"""`cilsim advise`: tries strategies on some data and recommends a scenario."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cilsim.cli.discovery import find_plugins
from cilsim.cli.output import write_json
from cilsim.cli.parameters import FILE, json_option, parse_labels, parse_seeds, plugin_option
from cilsim.cli.settings import settings_of, shared_options
from cilsim.cli.streams import stdout_reserved
from cilsim.errors import CilsimError, RunFailed
from cilsim.naming import did_you_mean

if TYPE_CHECKING:
    from cilsim.advice.ladder import Wishes
    from cilsim.advice.proposal import Kind, Proposal
    from cilsim.advice.ranking import Ranked
    from cilsim.advice.survey import Survey
    from cilsim.cli.climbing import Climb
    from cilsim.plugins import Plugins
    from cilsim.scenario.schema import Scenario

KINDS: dict[str, Kind] = {
    "class-incremental": "class_incremental",
    "few-shot": "few_shot_class_incremental",
}
SIDES = (16, 32, 64)
"""Sides that images are brought to: the least one that shrinks none of a typical image away."""


def parse_budget_option(text: str) -> float:
    """Return the seconds of `--budget`."""
    from cilsim.advice.budget import parse_budget

    try:
        return parse_budget(text)
    except ValueError as error:
        raise click.UsageError(f"--budget: {error}") from error


@click.command("advise")
@click.argument("source", metavar="DIR")
@click.option(
    "--budget",
    default="30m",
    type=parse_budget_option,
    metavar="TIME",
    help="Time to spend, such as 90s, 30m (the default) or 2h.",
)
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
    """Try strategies on your images and recommend a scenario.

    DIR is a folder with one folder of images per class, or the name of a data set. Strategies that
    work on cached features come first, then, as long as the budget lasts, those that train. All
    are runs like any other: the same command goes on where the budget ended.
    """
    plugins, settings = find_plugins(plugin_files), settings_of(context)
    settings.show_warnings()
    from cilsim.advice.budget import Budget
    from cilsim.advice.proposal import propose
    from cilsim.advice.ranking import best_of, ranking
    from cilsim.cli.advice_text import Advice, refuse_foreign
    from cilsim.cli.climbing import Climb

    budget = Budget(wanted["budget"])
    wishes = _wishes(source, plugins, wanted)
    only = _named_strategies(wanted["strategies"], plugins)
    out = wanted["out"] or Path(f"{wishes.name}-recommended.yaml")
    refuse_foreign(out)
    found = _survey(source, wishes, plugins)
    proposal = propose(found, KINDS.get(wanted["stream"]))
    if not settings.quiet:
        click.echo(f"{source}: {found.described()}\n{proposal.reason}", err=True)
    climb = Climb(plugins, settings, wanted["runs"], wanted["device"], budget)
    for scenario in _scenarios(found, proposal, wishes, plugins, only):
        climb.run(scenario)
    ranked = ranking(climb.results, proposal.metric)
    best = best_of(ranked)
    written = _recommend(out, found, proposal, wishes, best) if best else None
    advice = Advice(found, proposal, ranked, climb.failures, climb.not_tried(), written)
    if not settings.quiet:
        advice.tell()
    if as_json:
        write_json(advice.document())
    elif written is not None:
        click.echo(written)
    return _exit_code(climb, ranked)


def _exit_code(climb: Climb, ranked: Sequence[Ranked]) -> int:
    if not ranked and not climb.failures:
        raise RunFailed(
            "--budget: it ended before a run was finished - give the same command again to go on, "
            "or a larger budget"
        )
    return RunFailed.exit_code if climb.failures else 0


def _wishes(source: str, plugins: Plugins, wanted: dict[str, Any]) -> Wishes:
    from cilsim.advice.ladder import Wishes

    folder, sets = Path(source), plugins.registries.datasets
    if folder.is_dir():
        side = wanted["image_size"] or _side(folder)
        name = "image_folder"
        bad = "skip" if wanted["skip_bad_images"] else "refuse"
        dataset = {"name": name, "path": str(folder.resolve()), "image_size": side}
        dataset["on_bad_image"] = bad
    elif source in sets:
        dataset = {"name": sets[source].name}
    else:
        raise CilsimError(
            f"'{source}' is no folder and no data set{did_you_mean(source, sets.names())}"
        )
    if wanted["weights"] is not None and wanted["backbone"] is None:
        raise CilsimError("--weights: expected --backbone NAME, the network that they are for")
    stem = re.sub(r"[^\w-]+", "-", folder.resolve().name if folder.is_dir() else source).strip("-")
    name = f"advise-{stem or 'images'}"
    return Wishes(name, dataset, wanted["seeds"], wanted["backbone"], wanted["weights"])


def _named_strategies(names: Sequence[str] | None, plugins: Plugins) -> list[str] | None:
    strategies = plugins.registries.strategies
    for name in names or ():
        if name not in strategies:
            raise CilsimError(f"--strategies: {strategies.unknown(name)}")
    return None if names is None else [strategies[name].name for name in names]


def _side(folder: Path) -> int:
    """Return the least of `SIDES` that is not below the shorter side of most images."""
    from cilsim.advice.image_sides import typical_side

    typical = typical_side(folder)
    return next((side for side in SIDES if side >= typical), SIDES[-1])


def _survey(source: str, wishes: Wishes, plugins: Plugins) -> Survey:
    from cilsim.advice.survey import survey
    from cilsim.registry import load_target
    from cilsim.runner.planning import entry_named

    entry = plugins.registries.datasets[wishes.dataset["name"]]
    given = {key: value for key, value in wishes.dataset.items() if key != "name"}
    with entry_named(entry), stdout_reserved():
        facts = load_target(entry.facts["facts"], entry)(entry.options(**given))
    return survey(facts, source)


def _scenarios(
    found: Survey,
    proposal: Proposal,
    wishes: Wishes,
    plugins: Plugins,
    only: Sequence[str] | None,
) -> list[Scenario]:
    """Return the checked scenarios of the ladder."""
    from cilsim.advice.ladder import rungs, scenario
    from cilsim.scenario.load import load_text

    names = [entry.name for entry in plugins.registries.strategies]
    loaded = []
    for rung in rungs(found, names, only):
        given = scenario(found, proposal, wishes, "", rung.strategies)
        # other wishes are other runs; the same ones go on
        digest = sha256(json.dumps(given, sort_keys=True).encode()).hexdigest()
        given["name"] = f"{wishes.name}-{rung.name}-{digest[:8]}"
        with stdout_reserved():
            loaded.append(load_text(json.dumps(given), given["name"], plugins.registries))
    return loaded


def _recommend(out: Path, found: Survey, proposal: Proposal, wishes: Wishes, best: Ranked) -> Path:
    from cilsim.advice.ladder import scenario
    from cilsim.cli.advice_text import scenario_text
    from cilsim.results.atomic import write_bytes

    given = scenario(found, proposal, wishes, f"{wishes.name}-recommended", [best.strategy])
    write_bytes(out, scenario_text(given, best, proposal.metric).encode())
    return out
