"""`cilsim predict`: the classes of images, or of rows of tables and arrays."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cilsim.cli.busyness import prepare_environment
from cilsim.cli.discovery import find_plugins
from cilsim.cli.output import write_json
from cilsim.cli.parameters import FILE, json_option, plugin_option
from cilsim.cli.settings import settings_of, shared_options
from cilsim.cli.streams import stdout_reserved
from cilsim.errors import RunFailed

if TYPE_CHECKING:
    from cilsim.deploy.read_samples import ReadSamples
    from cilsim.plugins import Plugins


@click.command("predict")
@click.argument("source", metavar="MODEL", type=FILE)
@click.argument("files", metavar="FILES...", nargs=-1, required=True, type=FILE)
@click.option(
    "--top", default=1, type=click.IntRange(1), show_default=True, help="Classes per sample."
)
@click.option("--device", default="cpu", show_default=True, help="auto, cpu, cuda, cuda:N or mps.")
@plugin_option
@json_option
@shared_options
@click.pass_context
def predict(
    context: click.Context,
    source: Path,
    files: Sequence[Path],
    top: int,
    device: str,
    plugin_files: Sequence[Path],
    as_json: bool,
) -> int:
    """Print the classes of images, or of rows of tables and arrays.

    MODEL is an exported model or a run. FILES are what it was trained on: images or folders of
    them, tables (.csv, .tsv, .parquet) with its columns, or arrays (.npz with x). The best class
    comes first, with its score. A file that is no image is named and left out; the exit code is 1
    then. Scores are those of the strategy, such as cosines or distances, and no probabilities.
    """
    plugins = find_plugins(plugin_files)
    settings_of(context).show_warnings()
    prepare_environment()
    broken: dict[Path, str] = {}
    documents: list[dict[str, Any]] = []
    for found, rows in _predicted(source, files, plugins, device, top):
        broken |= found.broken
        for place, best in zip(found.places, rows, strict=True):
            if as_json:
                named = [{"class": name, "score": score} for name, score in best]
                documents.append({**place.described(), "classes": named})
            else:
                scored = (f"{name}\t{score:.6g}" for name, score in best)
                click.echo("\t".join([place.text(among_files=len(files) > 1), *scored]))
    if as_json:
        write_json(documents)
    for file, reason in broken.items():
        click.echo(f"error: {file}: is left out: {reason}", err=True)
    return RunFailed.exit_code if broken else 0


Best = list[tuple[str, float]]


def _predicted(
    source: Path, files: Sequence[Path], plugins: Plugins, device: str, top: int
) -> Iterator[tuple[ReadSamples, list[Best]]]:
    """Yield samples and, for each, its best classes with their scores."""
    from cilsim.deploy.opening import open_model
    from cilsim.deploy.prediction import scores_of
    from cilsim.deploy.revival import revived
    from cilsim.deploy.sample_files import samples_in

    with stdout_reserved():
        model = open_model(source, plugins)
        blocks = samples_in(files, model.input)
    names = model.stream.class_names
    with revived(model, plugins, device=device) as back:
        for found in blocks:
            with stdout_reserved():
                best = scores_of(back.run, found.x, model.input).topk(min(top, len(names)))
            pairs = zip(best.indices.tolist(), best.values.tolist(), strict=True)
            yield (
                found,
                [
                    [(names[label], score) for label, score in zip(*row, strict=True)]
                    for row in pairs
                ],
            )
