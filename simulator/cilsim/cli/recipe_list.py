"""The list of recipes that `cilsim reproduce --list` writes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from cilsim.cli.output import write_json, write_table
from cilsim.cli.recipes import Recipe, data_problem, protocol, recipes_folder, variants
from cilsim.plugins import Plugins

HEADS = ("name", "data set", "data", "protocol", "numbers", "strategies")


def write_recipes(found: Sequence[Recipe], plugins: Plugins, as_json: bool) -> None:
    """Write one line per recipe, or a JSON list."""
    described = [describe_recipe(recipe, plugins) for recipe in found]
    if as_json:
        write_json(described)
    elif described:
        write_table(HEADS, [_row(one) for one in described])
    else:
        click.echo(f"no recipe is in {recipes_folder()}", err=True)


def describe_recipe(recipe: Recipe, plugins: Plugins) -> dict[str, Any]:
    """Return a recipe as plain data, with whether its data are here and what is missing."""
    scenario = recipe.scenario
    if scenario is None:
        return {"name": recipe.name, "file": str(recipe.path), "problem": recipe.problem}
    missing = data_problem(scenario, plugins)
    return {
        "name": recipe.name,
        "file": str(recipe.path),
        "dataset": scenario.stream.dataset.name,
        "data_here": not missing,
        "missing": missing,
        "protocol": protocol(scenario.stream),
        "variants": list(variants(scenario)),
        "strategies": [strategy.label for strategy in scenario.strategies],
        "published": [entry.model_dump(mode="json") for entry in scenario.published],
    }


def _row(one: dict[str, Any]) -> tuple[str, ...]:
    if "problem" in one:
        return (one["name"], "", "", "", "", f"cannot be used: {one['problem']}")
    here = "here" if one["data_here"] else "missing"
    count = str(len(one["published"]))
    return (one["name"], one["dataset"], here, one["protocol"], count, ", ".join(one["strategies"]))
