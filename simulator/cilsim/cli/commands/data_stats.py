"""`cilsim data stats`: what can be said of a data set before anything is trained on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from cilsim.cli.data_source import find_source
from cilsim.cli.discovery import find_plugins
from cilsim.cli.output import write_json
from cilsim.cli.parameters import json_option, plugin_option
from cilsim.cli.settings import settings_of, shared_options
from cilsim.cli.statistics_text import statistics_lines
from cilsim.cli.streams import stdout_reserved
from cilsim.data.dataset import DataSet
from cilsim.data.image_folder import ImageFolderOptions, image_listing
from cilsim.data.image_headers import image_headers
from cilsim.data.statistics import statistics
from cilsim.data.tabular import TabularOptions, about_table
from cilsim.plugins import Plugins
from cilsim.runner.blame import plugins_named
from cilsim.runner.planning import entry_named, expect
from cilsim.scenario.schema import NamedChoice


@click.command("stats")
@click.argument("source", metavar="SOURCE")
@click.option(
    "--set", "overrides", metavar="KEY=VALUE", multiple=True,
    help="Set an option of the data set, such as label=species; may be repeated.",
)  # fmt: skip
@plugin_option
@json_option
@shared_options
@click.pass_context
def stats(
    context: click.Context,
    source: str,
    overrides: Sequence[str],
    plugin_files: Sequence[Path],
    as_json: bool,
) -> None:
    """Show samples per class and part, sizes, moments, imbalance, gaps and duplicates.

    SOURCE is a folder of images, a CSV file that lists images, a table (with --set label=COLUMN),
    an .npz file, the name of a data set or a scenario file, of which --set changes keys. A warning
    says if test samples are among the training samples.
    """
    plugins = find_plugins(plugin_files)
    choice = find_source(source, plugins, overrides)
    settings_of(context).show_warnings()
    with stdout_reserved(), plugins_named(plugins):
        document = describe(choice, plugins)
    if as_json:
        write_json(document)
        return
    for line in statistics_lines(source, document):
        click.echo(line)


def describe(choice: NamedChoice, plugins: Plugins) -> dict[str, Any]:
    """Return the statistics as plain data."""
    dataset = _load(choice, plugins)
    found = statistics(dataset)
    equal = asdict(found.duplicates)
    pairs = _pairs(choice, dataset, equal.pop("pairs"))
    return {
        "dataset": choice.name,
        "train": sum(found.train),
        "test": sum(found.test),
        "classes": [
            {"id": class_id, "name": name, "train": train, "test": test}
            for class_id, name, train, test in zip(
                found.class_ids, found.class_names, found.train, found.test, strict=True
            )
        ],
        "imbalance": found.imbalance,
        "domains": [
            {"name": name, "train": train, "test": test} for name, train, test in found.domains
        ],
        "sample_shape": found.sample_shape,
        "mean": found.mean,
        "std": found.std,
        "constant_features": found.constant,
        "duplicates": {**equal, "pairs": pairs},
        "skipped": dataset.skipped,
        "bytes": found.bytes,
        "digest": found.digest,
        **_of_images(choice),
        **_of_table(choice),
    }


def _load(choice: NamedChoice, plugins: Plugins) -> DataSet:
    entry = plugins.registries.datasets[choice.name]
    with entry_named(entry):
        dataset: DataSet = entry.load()(choice.options)
    expect(DataSet, dataset, entry)
    return dataset


def _pairs(
    choice: NamedChoice, dataset: DataSet, pairs: Sequence[tuple[int, int]]
) -> list[dict[str, Any]]:
    """Return equal samples of both parts by position and, of image files, by name."""
    rows: list[dict[str, Any]] = [{"test": test, "train": train} for test, train in pairs]
    options = choice.options
    if isinstance(options, ImageFolderOptions) and not dataset.skipped:  # else positions differ
        listing = image_listing(options)
        for row, (test, train) in zip(rows, pairs, strict=True):
            row["files"] = [listing.test.files[test], listing.train.files[train]]
    return rows


def _of_images(choice: NamedChoice) -> dict[str, Any]:
    if not isinstance(choice.options, ImageFolderOptions):
        return {}
    headers = image_headers(image_listing(choice.options))
    sizes = [
        {"width": width, "height": height, "images": count}
        for (width, height), count in headers.sizes.most_common()
    ]
    return {
        "image_sizes": sizes,
        "image_modes": dict(headers.modes.most_common()),
        "unreadable": headers.unreadable,
        "turned": headers.turned,
        "file_bytes": headers.bytes,
    }


def _of_table(choice: NamedChoice) -> dict[str, Any]:
    if not isinstance(choice.options, TabularOptions):
        return {}
    about = about_table(choice.options)
    size = choice.options.path.stat().st_size
    return {"columns": about["columns"], "features": about["features"], "file_bytes": size}
