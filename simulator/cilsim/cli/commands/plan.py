"""`cilsim plan`: the resolved stream and what a run of it means, without running it."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path
from typing import Any

import click
import numpy as np

from cilsim.cli.busyness import prepare_environment
from cilsim.cli.discovery import find_plugins, load_scenarios
from cilsim.cli.output import write_json
from cilsim.cli.parameters import FILE, json_option, plugin_option, set_option
from cilsim.cli.plan_text import write_plan
from cilsim.cli.settings import settings_of, shared_options
from cilsim.cli.streams import stdout_reserved
from cilsim.data.dataset import DataFacts
from cilsim.plugins import Plugins
from cilsim.records import StreamInfo
from cilsim.runner.blame import plugins_named
from cilsim.runner.planning import data_facts, plan_stream
from cilsim.scenario.schema import Scenario

STORES = logging.getLogger("cilsim.strategy.base_training")
"""Tells what is stored, for an estimate in a folder that does not stay."""


@click.command("plan")
@click.argument("file", metavar="FILE", type=FILE)
@click.option("--resolved", is_flag=True, help="Print the scenario as YAML with every default.")
@click.option(
    "--estimate",
    "with_estimate",
    is_flag=True,
    help="Run on part of the samples, and tell time, memory and disk of all.",
)
@click.option(
    "--device", metavar="DEVICE", default="auto", help="For --estimate, as for 'cilsim run'."
)
@set_option
@plugin_option
@json_option
@shared_options
@click.pass_context
def plan(
    context: click.Context,
    file: Path,
    resolved: bool,
    with_estimate: bool,
    device: str,
    overrides: Sequence[str],
    plugin_files: Sequence[Path],
    as_json: bool,
) -> None:
    """Show the resolved stream without running it.

    Nothing is trained and no image is read, except with --estimate: then the scenario is run for
    one and five epochs on part of its samples, in a temporary folder.
    """
    plugins = find_plugins(plugin_files)
    [scenario] = load_scenarios([file], plugins, overrides)
    settings_of(context).show_warnings()
    if resolved:
        from cilsim.scenario.resolved import resolved_yaml

        click.echo(resolved_yaml(scenario).rstrip())
        return
    document = describe(scenario, plugins)
    if with_estimate:
        document["estimate"] = _estimate(scenario, plugins, device)
    if as_json:
        write_json(document)
    else:
        write_plan(document)


def describe(scenario: Scenario, plugins: Plugins) -> dict[str, Any]:
    """Return the plan as plain data."""
    with stdout_reserved(), plugins_named(plugins):
        facts = data_facts(scenario, plugins)
        streams = [plan_stream(scenario, plugins, seed, facts)[1] for seed in scenario.seeds]
    stream = streams[0]
    return {
        "name": scenario.name,
        "stream": stream.kind,
        "dataset": stream.dataset,
        "protocol": stream.protocol,
        "class_order": list(stream.class_ids),
        "class_order_digest": _order_digest(stream),
        "split_digests": {
            str(seed): one.digest for seed, one in zip(scenario.seeds, streams, strict=True)
        },
        "strategies": [strategy.label for strategy in scenario.strategies],
        "seeds": list(scenario.seeds),
        "runs": len(scenario.strategies) * len(scenario.seeds),
        "base_epochs": scenario.base_training.epochs,
        "epochs": scenario.training.epochs,
        "bytes_on_device": _bytes(stream, facts),
        "experiences": [
            {
                "index": experience.index,
                "name": experience.name,
                "classes": len(experience.new_labels),
                "seen": experience.seen,
                "labelled": experience.labelled,
                "unlabelled": experience.unlabelled,
                "test": experience.test,
            }
            for experience in stream.experiences
        ],
    }


def _estimate(scenario: Scenario, plugins: Plugins, device: str) -> dict[str, Any]:
    prepare_environment()
    with stdout_reserved(), _silent(STORES):
        from cilsim.runner.estimate import estimate

        return asdict(estimate(scenario, plugins, device))


@contextmanager
def _silent(logger: logging.Logger) -> Iterator[None]:
    before = logger.level
    logger.setLevel(max(logging.WARNING, logger.getEffectiveLevel()))
    try:
        yield
    finally:
        logger.setLevel(before)


def _order_digest(stream: StreamInfo) -> str:
    return sha256(np.asarray(stream.class_ids, dtype="<i8").tobytes()).hexdigest()


def _bytes(stream: StreamInfo, facts: DataFacts) -> int:
    """Return the size of all samples of the stream, as they are stored."""
    samples = sum(one.labelled + one.unlabelled + one.test for one in stream.experiences)
    return samples * facts.sample_bytes
