"""The scenario files that come with cilsim and state published numbers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import cilsim
from cilsim.cli.discovery import load_or_explain
from cilsim.errors import CilsimError
from cilsim.naming import did_you_mean
from cilsim.plugins import Plugins
from cilsim.registry import load_target
from cilsim.scenario.findings import Findings
from cilsim.scenario.origin import Origin
from cilsim.scenario.plain import plain_scenario
from cilsim.scenario.published import Published
from cilsim.scenario.reading import read_text
from cilsim.scenario.schema import Scenario, StreamChoice
from cilsim.scenario.stream_options import StreamOptions
from cilsim.scenario.yaml_source import parse

SUFFIXES = (".yaml", ".yml")
LONGEST_NAME = 100


@dataclass(frozen=True)
class Recipe:
    """A scenario file with published numbers.

    Attributes:
        name: what `cilsim reproduce` calls it, the name of the file without `.yaml`.
        path: the file.
        scenario: what it says; None if it names something that is not installed.
        problem: why there is no scenario, or nothing.
    """

    name: str
    path: Path
    scenario: Scenario | None
    problem: str = ""

    @property
    def header(self) -> str:
        """The comment that the file begins with."""
        lines = read_text(self.path).splitlines()
        end = next((at for at, line in enumerate(lines) if not line.startswith("#")), len(lines))
        return "\n".join(line.removeprefix("#").strip() for line in lines[:end])


def recipes_folder() -> Path:
    """Return where the files are: `scenarios/` of a checkout, or the installed copy."""
    package = Path(cilsim.__file__).resolve().parent
    checkout = package.parents[1]
    if (checkout / "pyproject.toml").is_file() and (checkout / "scenarios").is_dir():
        return checkout / "scenarios"
    return package / "recipes"


def find_recipe(name: str, folder: Path | None = None) -> Path:
    """Return the file that `name` means: a file of the user, or a recipe.

    Raises:
        CilsimError: there is no such recipe.
    """
    given = Path(name)
    if given.suffix in SUFFIXES or given.is_file() or len(given.parts) > 1:
        return given
    known = {path.stem: path for path in _files(folder or recipes_folder())}
    if name in known:
        return known[name]
    hint = did_you_mean(name, known)
    raise CilsimError(f"no recipe is named '{name}'{hint}; 'cilsim reproduce --list' lists them")


def recipes(plugins: Plugins, folder: Path | None = None) -> list[Recipe]:
    """Return every recipe in the order of their names; the data need not be there."""
    return [_recipe(path, plugins) for path in _files(folder or recipes_folder())]


def _recipe(path: Path, plugins: Plugins) -> Recipe:
    found = load_or_explain(path, plugins, with_data=False)
    if isinstance(found, Scenario):
        return Recipe(path.stem, path, found)
    return Recipe(path.stem, path, None, found[0].message)


def _files(folder: Path) -> Iterator[Path]:
    """Yield the files with a section `published`."""
    for path in sorted(folder.glob("*.yaml")):
        root = parse(Origin(str(path), read_text(path), folder), Findings())
        if root is not None and root.child("published") is not None:
            yield path


def data_problem(scenario: Scenario, plugins: Plugins) -> str:
    """Return what of the data is missing, or nothing."""
    choice = scenario.stream.dataset
    entry = plugins.registries.datasets[choice.name]
    try:
        load_target(entry.facts["facts"], entry)(choice.options)
    except CilsimError as error:
        return str(error)
    return ""


def protocol(stream: StreamChoice) -> str:
    """Return a stream in the field's notation, as far as that can be said without the data."""
    options = stream.options
    return options.notation() or stream.kind if isinstance(options, StreamOptions) else stream.kind


def variants(scenario: Scenario) -> Sequence[str]:
    """Return the settings that something is published for, such as `stream.increment=5`."""
    found = (
        " ".join(f"{key}={value}" for key, value in entry.when.items())
        for entry in scenario.published
    )
    return tuple(dict.fromkeys(text for text in found if text))


def comparable(scenario: Scenario, path: Path) -> tuple[Published, ...]:
    """Return the published numbers that hold for a scenario.

    Raises:
        CilsimError: there are none.
    """
    content = plain_scenario(scenario)
    entries = tuple(entry for entry in scenario.published if entry.holds_for(content))
    if entries:
        return entries
    if not scenario.published:
        raise CilsimError(f"{path}: has no section 'published' to compare with")
    raise CilsimError(
        f"{path}: nothing is published for these settings; there are numbers for "
        f"{'; '.join(variants(scenario))}"
    )


def variant_name(name: str, overrides: Sequence[str]) -> str:
    """Return the name of the run folder: with overrides, one that no other variant has."""
    pairs = [override.partition("=")[::2] for override in overrides]
    if not pairs or "name" in (key.strip() for key, _ in pairs):
        return name
    parts = [f"{key.strip().rpartition('.')[2]}-{value.strip()}" for key, value in pairs]
    suffix = re.sub(r"[^A-Za-z0-9._]+", "-", "-".join(parts)).strip("-.")
    if len(name) + 1 + len(suffix) > LONGEST_NAME:
        suffix = sha256("\n".join(overrides).encode()).hexdigest()[:12]
    return f"{name}-{suffix}"
