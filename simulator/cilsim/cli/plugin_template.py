"""Writing a new plugin's distribution from the templates in `cilsim/plugin_template`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Literal

from cilsim import __version__
from cilsim.errors import CilsimError
from cilsim.results.atomic import write_folder

Kind = Literal["strategy", "discovery", "calibrator"]
KINDS: tuple[Kind, ...] = ("strategy", "discovery", "calibrator")

COMMON: Mapping[str, str] = {
    "pyproject.toml": "pyproject.toml.j2",
    "README.md": "README.md.j2",
    "LICENSE": "LICENSE.j2",
    ".gitignore": "gitignore.j2",
    ".github/workflows/tests.yml": "tests.yml.j2",
}
"""Files of every distribution and their templates."""

OWN: Mapping[str, str] = {
    "scenario.yaml": "scenario.j2",
    "src/{package}/__init__.py": "init.j2",
    "src/{package}/options.py": "options.j2",
    "src/{package}/{noun}.py": "code.j2",
    "tests/test_{name}.py": "tests.j2",
}
"""Files whose templates differ between the kinds."""

_OPTION: Mapping[Kind, str] = {
    "strategy": "| `power` | number above 0 to 2 | 0.5 | exponent of each feature's size |",
    "discovery": "| `starts` | integer from 1 to 1000 | 10 | starts of k-means |",
    "calibrator": "| `weight` | number from 0 to 1 | 0.1 | weight of the mean of the base |",
}
_STORED: Mapping[Kind, str] = {
    "strategy": "Stored between experiences: one vector of D float32 per class.",
    "discovery": "Stored between experiences: one vector of D float32 per class.",
    "calibrator": "It stores nothing of its own.",
}
_NAME = r"[a-z][a-z0-9]*(?:[-_][a-z0-9]+)*"
_LONGEST = 60
_YAML_WORDS = frozenset({"null", "true", "false", "yes", "no", "on", "off", "y", "n"})


@dataclass(frozen=True)
class Naming:
    """The names of one plugin, all made from the one that was given.

    Attributes:
        hyphened: `my-strategy`.
    """

    hyphened: str

    @property
    def name(self) -> str:
        """How a scenario names it: `my_strategy`."""
        return self.hyphened.replace("-", "_")

    @property
    def distribution(self) -> str:
        """How pip names it: `cilsim-my-strategy`."""
        return f"cilsim-{self.hyphened}"

    @property
    def package(self) -> str:
        """How Python imports it: `cilsim_my_strategy`."""
        return f"cilsim_{self.name}"

    @property
    def title(self) -> str:
        """How prose calls it: `My strategy`."""
        return self.hyphened.replace("-", " ").capitalize()

    def class_name(self, noun: str) -> str:
        """Return the name of its class, which ends in what it is: `MyStrategy`."""
        words = self.hyphened.split("-")
        own = words if words[-1] == noun and len(words) > 1 else [*words, noun]
        return "".join(word.capitalize() for word in own)


def parse_name(given: str) -> Naming:
    """Return the names that follow from what the user gave, with or without `cilsim-`.

    Raises:
        CilsimError: it cannot name a distribution, a package and a strategy.
    """
    bare = re.sub(r"^cilsim[-_]", "", given)
    if not re.fullmatch(_NAME, bare) or len(bare) > _LONGEST:
        raise CilsimError(
            f"plugin name '{given}': expected small letters, digits and hyphens, at most "
            f"{_LONGEST}, such as 'my-strategy'"
        )
    if bare in _YAML_WORDS:
        raise CilsimError(f"plugin name '{given}': a scenario file would not read it as a name")
    return Naming(bare.replace("_", "-"))


def write_distribution(naming: Naming, kind: Kind, parent: Path) -> tuple[Path, list[Path]]:
    """Write a distribution and return its folder and its files.

    Args:
        naming: its names.
        kind: what it adds.
        parent: the folder in which its folder is made.

    Raises:
        CilsimError: the folder exists, or cannot be written.
    """
    folder = parent / naming.distribution
    if folder.exists() or folder.is_symlink():
        raise CilsimError(f"{folder}: exists already; choose another name or --dir")
    texts = rendered(naming, kind)
    with write_folder(folder) as unfinished:
        for place, text in texts.items():
            path = unfinished / place
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    return folder, [folder / place for place in texts]


def rendered(naming: Naming, kind: Kind) -> dict[str, str]:
    """Return the texts of a distribution by their place in it."""
    from jinja2 import Environment, StrictUndefined

    noun = "calibrator" if kind == "calibrator" else "strategy"
    names = {
        "name": naming.name,
        "hyphened": naming.hyphened,
        "distribution": naming.distribution,
        "package": naming.package,
        "title": naming.title,
        "kind_class": naming.class_name(noun),
        "noun": noun,
        "option_row": _OPTION[kind],
        "stored": _STORED[kind],
        "cilsim": ".".join(__version__.split(".")[:2]),
        "year": datetime.now(UTC).year,
    }
    environment = Environment(undefined=StrictUndefined, keep_trailing_newline=True)
    templates = files("cilsim") / "plugin_template"
    own = {place.format(**names): templates / kind / name for place, name in OWN.items()}
    common = {place: templates / name for place, name in COMMON.items()}
    return {
        place: environment.from_string(template.read_text(encoding="utf-8")).render(names)
        for place, template in (common | own).items()
    }
