"""A resolved stream, and what running it takes, as text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import click

from cilsim.report.formatting import aligned, duration, percent, size

DIGITS = 12
"""Digits of a digest that are shown."""


def write_plan(document: dict[str, Any]) -> None:
    """Write the plan that `cilsim plan --json` writes as a document."""
    experiences = document["experiences"]
    click.secho(
        f"{document['name']}: {document['stream']} on {document['dataset']}, "
        f"{document['protocol']}, {len(experiences)} experiences (1 base + {len(experiences) - 1})",
        bold=True,
    )
    for heading, text in _facts(document):
        click.echo(f"{heading:<12} {text}")
    if "estimate" in document:
        for heading, text in _costs(document["estimate"]):
            click.echo(f"{heading:<12} {text}")
    click.echo()
    for line in aligned(_table(experiences)):
        click.echo(line)


def _facts(document: dict[str, Any]) -> list[tuple[str, str]]:
    splits = document["split_digests"]
    if len(set(splits.values())) == 1:
        split = next(iter(splits.values()))[:DIGITS]
    else:
        split = ", ".join(f"{digest[:DIGITS]} (seed {seed})" for seed, digest in splits.items())
    strategies, seeds = document["strategies"], document["seeds"]
    return [
        ("class order", document["class_order_digest"][:DIGITS]),
        ("split", split),
        ("strategies", ", ".join(strategies)),
        ("seeds", ", ".join(map(str, seeds))),
        ("runs", f"{len(strategies)} x {len(seeds)} = {document['runs']}"),
        ("epochs", f"{document['base_epochs']} for the base, {document['epochs']} for later ones"),
        ("data", f"{size(document['bytes_on_device'])} on the device"),
    ]


def _costs(estimate: dict[str, Any]) -> Iterator[tuple[str, str]]:
    seconds = estimate["seconds"]
    each = ", ".join(f"{label} {duration(spent)}" for label, spent in seconds.items())
    first = estimate["first_use_seconds"]
    total = duration(sum(seconds.values()) + first)
    yield "time", f"about {total} ({each}, first use {duration(first)})"
    yield "memory", f"about {size(estimate['memory_bytes'])} at most"
    results, cache = size(estimate["results_bytes"]), size(estimate["cache_bytes"])
    yield "disk", f"about {results} of results and {cache} in the cache"
    share = f"{percent(estimate['share'])} % of the training samples"
    yield "measured", f"on {estimate['device']} with {share}; time may be off by a factor of two"


def _table(experiences: Sequence[dict[str, Any]]) -> list[list[str]]:
    counts = ("classes", "seen", "labelled", "unlabelled", "test")
    rows = [
        [f"{one['index']} {one['name']}", *(str(one[count]) for count in counts)]
        for one in experiences
    ]
    return [["experience", *counts], *rows]
