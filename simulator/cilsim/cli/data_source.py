"""Finds the data set that a command is to look at: a file, a folder, a scenario or a name."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from cilsim.cli.discovery import load_scenarios
from cilsim.data.csv_table import SUFFIXES, read_csv
from cilsim.data.tabular_file import PARQUET
from cilsim.errors import DataError
from cilsim.naming import did_you_mean, nearest
from cilsim.options import descriptions
from cilsim.plugins import Plugins
from cilsim.scenario.load import load_text
from cilsim.scenario.schema import NamedChoice

SCENARIOS = (".yaml", ".yml")
KINDS = (
    "expected the name of a data set, a scenario file, a folder of images, or a .csv, .parquet or "
    ".npz file"
)


def find_source(source: str, plugins: Plugins, overrides: Sequence[str]) -> NamedChoice:
    """Return a data set and its options.

    Args:
        source: a scenario file, a folder of images, a file of samples, or a name.
        plugins: those that are there.
        overrides: `key=value` for options of the data set; of a scenario, for its keys.

    Raises:
        DataError: there is no such thing.
        ScenarioError: the options do not fit.
    """
    path = Path(source)
    if path.suffix.casefold() in SCENARIOS:
        [scenario] = load_scenarios([path], plugins, overrides, with_data=False)
        return scenario.stream.dataset
    dataset = {"name": source} if _is_name(source, plugins) else _of_path(source, plugins)
    _require_options(source, dataset, plugins, overrides)
    text = {
        "stream": {"kind": "class_incremental", "dataset": dataset, "experiences": 1},
        "strategy": "nmc",
    }
    prefixed = [f"stream.dataset.{override}" for override in overrides]
    loaded = load_text(json.dumps(text), source, plugins.registries, prefixed, with_data=False)
    return loaded.stream.dataset


def _is_name(source: str, plugins: Plugins) -> bool:
    return source in plugins.registries.datasets and not Path(source).exists()


def _of_path(source: str, plugins: Plugins) -> dict[str, str]:
    path = Path(source)
    if not source or not path.exists():
        raise DataError(
            f"'{source}': there is no such file, folder or data set{_hint(path, plugins)}"
        )
    suffix = path.suffix.casefold()
    if path.is_dir() or (suffix in SUFFIXES and _lists_images(path)):
        return {"name": "image_folder", "path": source}
    if suffix in (*SUFFIXES, PARQUET):
        return {"name": "tabular", "path": source}
    if suffix == ".npz":
        return {"name": "arrays", "path": source}
    raise DataError(f"'{source}': what is in it cannot be told - {KINDS}")


def _hint(path: Path, plugins: Plugins) -> str:
    """Return the nearest data set, or what is nearest beside `path`, or all data sets."""
    known = [entry.name for entry in plugins.registries.datasets]
    beside = nearest(path.name, _names_in(path.parent))
    if beside is None or nearest(str(path), known) is not None:
        return did_you_mean(str(path), known)
    return f"; did you mean '{path.with_name(beside)}'?"


def _names_in(folder: Path) -> list[str]:
    with suppress(OSError):
        return sorted(entry.name for entry in folder.iterdir())
    return []


def _require_options(
    source: str, dataset: Mapping[str, str], plugins: Plugins, overrides: Sequence[str]
) -> None:
    """Refuse a data set without options that it needs, in words of this command."""
    given = {*dataset, *(override.partition("=")[0].strip() for override in overrides)}
    model = plugins.registries.datasets[dataset["name"]].option_model()
    for name, field in model.model_fields.items():
        if field.is_required() and name not in given:
            about = (
                " ".join(descriptions(model).get(name, "").split()).partition(". ")[0].rstrip(".")
            )
            raise DataError(
                f"'{source}': data set '{dataset['name']}' needs '{name}': {about} - "
                f"give it by --set {name}=..."
            )


def _lists_images(path: Path) -> bool:
    return {"path", "label"} <= set(read_csv(f"table '{path}'", path).columns)
