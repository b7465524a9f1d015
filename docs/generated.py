"""Tables of the documentation that come from the code; a test keeps them equal.

A Markdown file marks the place by `<!-- generated: options package.module:Model -->` and
`<!-- end -->`; `python docs/generated.py` writes what belongs between. Kinds: `options` of a
model, `entries` of a registry such as `streams`, all `strategies`, facts of one `strategy`,
`metrics`, `metric_sets`, `recipes` that `cilsim reproduce` knows, `publications` of data sets,
`commands`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from importlib import import_module
from pathlib import Path

from generated_commands import commands

from cilsim.cli.option_rows import OptionRow, option_rows
from cilsim.cli.publications import publication_of
from cilsim.cli.recipes import protocol, variants
from cilsim.cli.recipes import recipes as shipped
from cilsim.metrics.metric_sets import METRIC_SETS
from cilsim.metrics.names import METRICS
from cilsim.options import Options, descriptions
from cilsim.plugins import discover
from cilsim.registry import Entry
from cilsim.report.formatting import size
from cilsim.scenario.strategy_section import serves

ROOT = Path(__file__).parents[1]
BLOCK = re.compile(r"(<!-- generated: (\w+) ?(\S*) -->\n)(.*?)(<!-- end -->)", re.DOTALL)


def documents() -> list[Path]:
    """Return the Markdown files that may hold generated tables."""
    folders = (ROOT / "docs", *(ROOT / "plugins").iterdir())
    return sorted(path for folder in folders for path in folder.glob("*.md"))


def regenerated(text: str) -> str:
    """Return a document with every generated table as it should be."""
    return BLOCK.sub(lambda found: found[1] + KINDS[found[2]](found[3]) + found[5], text)


def options(target: str) -> str:
    """Return the table of a model's options."""
    module, _, name = target.partition(":")
    model = getattr(import_module(module), name)
    rows = [row for row in option_rows(model) if "." not in row.name]
    if not rows:
        return "No options.\n"
    cells = [(f"`{row.name}`", row.type, _default(row), _meaning(row, model)) for row in rows]
    return table(("key", "type", "default", "meaning"), cells)


def entries(kind: str) -> str:
    """Return the table of what the installed cilsim registers of a kind."""
    registry = getattr(discover().registries, kind)
    own = [entry for entry in registry if entry.owner.distribution == "cilsim"]
    cells = [
        (f"`{entry.name}`", ", ".join(f"`{alias}`" for alias in entry.aliases), entry.summary)
        for entry in own
    ]
    return table(("name", "also", "what it is"), cells)


def metrics(_: str) -> str:
    """Return the table of all metrics."""
    cells = [
        (f"`{name}`", metric.title, metric.definition, metric.source)
        for name, metric in METRICS.items()
    ]
    return table(("name", "title", "definition", "source"), cells)


def strategies(_: str) -> str:
    """Return the table of all strategies with what they are for."""
    cells = [
        (f"[`{entry.name}`](../{_folder(entry)}/README.md)", entry.summary, _needs(entry))
        for entry in discover().registries.strategies
        if entry.owner.distribution == "cilsim"
    ]
    return table(("strategy", "what it does", "streams"), cells)


def strategy(name: str) -> str:
    """Return what the registry knows of one strategy."""
    registries = discover().registries
    entry = next(one for one in registries.strategies if one.name == name)
    streams = ", ".join(f"`{one.name}`" for one in registries.streams if serves(entry, one))
    aliases = "".join(f" (also `{alias}`)" for alias in entry.aliases)
    return f"`{name}`{aliases} serves {streams}.\n"


def metric_sets(_: str) -> str:
    """Return the table of other tools' definitions."""
    cells = [(f"`{name}`", one.summary) for name, one in METRIC_SETS.items()]
    return table(("metric set", "how it differs"), cells)


def recipes(_: str) -> str:
    """Return the table of the scenario files that state published numbers."""
    cells = []
    for recipe in shipped(discover(), ROOT / "scenarios"):
        if recipe.scenario is None:
            raise ValueError(f"{recipe.path}: {recipe.problem}")
        stream = recipe.scenario.stream
        others = len(variants(recipe.scenario)) - 1
        labels = ", ".join(f"`{strategy.label}`" for strategy in recipe.scenario.strategies)
        sources = dict.fromkeys(entry.source for entry in recipe.scenario.published)
        cells.append(
            (
                f"[{recipe.name}](../scenarios/{recipe.path.name})",
                f"`{stream.dataset.name}`",
                protocol(stream) + (f", {others} more" if others > 0 else ""),
                labels,
                "; ".join(sources),
                "not run here" if "not run here" in recipe.header.casefold() else "measured",
            )
        )
    heads = ("name", "data set", "protocol", "strategies", "published by", "state")
    return table(heads, cells)


def publications(_: str) -> str:
    """Return the table of data sets that consist of published files."""
    cells = []
    for entry in discover().registries.datasets:
        found = publication_of(entry)
        if found is None or not found.files:
            continue
        samples = "by options" if found.train is None else f"{found.train:,} + {found.test:,}"
        files = ", ".join(
            f"`{file.name}`" + (f" ({size(file.size)})" if file.size else "")
            for file in found.files
        )
        cells.append(
            (
                f"`{entry.name}`",
                "by options" if found.classes is None else f"{found.classes:,}",
                samples,
                files,
                "yes" if found.fetchable else "by hand",
                found.licence,
                f"<{found.page}>",
            )
        )
    heads = ("name", "classes", "samples", "files", "fetched", "licence", "source")
    return table(heads, cells)


KINDS: dict[str, Callable[[str], str]] = {
    "commands": lambda _: commands(table),
    "options": options,
    "entries": entries,
    "metric_sets": metric_sets,
    "metrics": metrics,
    "publications": publications,
    "recipes": recipes,
    "strategies": strategies,
    "strategy": strategy,
}


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table."""
    escaped = [[cell.replace("|", r"\|") for cell in row] for row in rows]
    lines = [head, ["---"] * len(head), *escaped]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _folder(entry: Entry) -> str:
    return f"plugins/{entry.target.partition('.')[0]}"


def _needs(entry: Entry) -> str:
    """Return the kinds of streams that a strategy serves, in few words."""
    if entry.serves:
        return "discovery"
    return "labelled, classes may come again" if entry.facts.get("repeated_classes") else "labelled"


def _default(row: OptionRow) -> str:
    if row.required:
        return "required"
    if row.type == "mapping":
        return "see its table"
    return f"`{row.shown_default.removeprefix('default ')}`"


def _meaning(row: OptionRow, model: type[Options]) -> str:
    texts = {
        field.alias or name: descriptions(model).get(name, "")
        for name, field in model.model_fields.items()
    }
    return row.description or " ".join(texts[row.name].split())


def main() -> None:
    """Write every table anew."""
    for path in documents():
        text = path.read_text(encoding="utf-8")
        path.write_text(regenerated(text), encoding="utf-8")


if __name__ == "__main__":
    main()
