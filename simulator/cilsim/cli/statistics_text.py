"""The statistics of a data set as lines for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from cilsim.report.formatting import aligned, size

SHOWN = 3
"""Most sizes, columns or pairs that are listed in one line."""
WIDTH = 12
"""Of the first column."""


def statistics_lines(source: str, document: Mapping[str, Any]) -> Iterator[str]:
    """Yield the lines: a summary, what is remarkable, and a table of the classes."""
    classes = document["classes"]
    yield (
        f"{source}: {len(classes)} classes, {document['train']} training and {document['test']} "
        f"test samples"
    )
    for heading, text in _facts(document):
        yield f"{heading:<{WIDTH}} {text}"
    for warning in _warnings(document):
        yield f"warning: {warning}"
    yield ""
    rows = [[one["name"], str(one["train"]), str(one["test"])] for one in classes]
    yield from aligned([["class", "train", "test"], *rows])
    if document["domains"]:
        yield ""
        rows = [[one["name"], str(one["train"]), str(one["test"])] for one in document["domains"]]
        yield from aligned([["domain", "train", "test"], *rows])


def _facts(document: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if "image_sizes" in document:
        yield "image files", _sizes(document["image_sizes"])
        modes = document["image_modes"].items()
        yield "channels", ", ".join(f"{mode} ({count})" for mode, count in modes)
    yield "read as", _shape(document)
    yield "mean", _numbers(document["mean"])
    yield "deviation", _numbers(document["std"])
    counts = [one["train"] for one in document["classes"]]
    yield (
        "per class",
        f"{min(counts)} to {max(counts)} training samples, imbalance {document['imbalance']:.1f}",
    )
    if "columns" in document:  # whose features for other categories are constant in training
        yield "columns", _columns(document["columns"])
        yield "missing", _missing(document["columns"])
    elif document["constant_features"]:
        yield "constant", f"{document['constant_features']} features, in all training samples"
    equal = document["duplicates"]
    yield (
        "duplicates",
        f"{equal['train']} in training, {equal['test']} in test, {equal['across']} across",
    )
    files = f"{size(document['file_bytes'])} of files, " if "file_bytes" in document else ""
    yield "bytes", f"{files}{size(document['bytes'])} of samples"


def _warnings(document: Mapping[str, Any]) -> Iterator[str]:
    equal = document["duplicates"]
    if equal["across"]:
        first = ", ".join(map(_pair, equal["pairs"][:SHOWN]))
        yield (
            f"{equal['across']} test samples are training samples too, so accuracies would be too "
            f"high: {first}"
        )
    if equal["conflicting"]:
        yield f"{equal['conflicting']} samples equal one of another class"
    if document.get("turned"):
        yield (
            f"{document['turned']} photographs are to be turned by their cameras' notes, which is "
            "not done: turn their pixels before"
        )
    if document["skipped"]:
        yield f"{len(document['skipped'])} files are skipped, being no readable images"


def _pair(pair: Mapping[str, Any]) -> str:
    test, train = pair.get("files", (f"test {pair['test']}", f"train {pair['train']}"))
    return f"{test} = {train}"


def _sizes(sizes: Sequence[Mapping[str, int]]) -> str:
    shown = ", ".join(
        f"{one['width']} x {one['height']} ({one['images']})" for one in sizes[:SHOWN]
    )
    sides = [min(one["width"], one["height"]) for one in sizes]
    more = f" and {len(sizes) - SHOWN} more sizes" if len(sizes) > SHOWN else ""
    return f"{shown}{more}; shorter sides {min(sides)} to {max(sides)} pixels" if sizes else "none"


def _shape(document: Mapping[str, Any]) -> str:
    shape = document["sample_shape"]
    return f"{shape[0]} features" if len(shape) == 1 else " x ".join(map(str, shape))


def _numbers(numbers: Sequence[float]) -> str:
    return " ".join(f"{number:.3f}" for number in numbers)


def _columns(columns: Mapping[str, Mapping[str, int]]) -> str:
    categories = {name: one["categories"] for name, one in columns.items() if one["categories"]}
    most = sorted(categories, key=lambda name: -categories[name])
    numbers = f"{len(columns) - len(most)} of numbers, {len(most)} of categories"
    return f"{numbers}{': ' if most else ''}{_first_of(most, categories)}"


def _first_of(names: Sequence[str], counts: Mapping[str, int]) -> str:
    shown = ", ".join(f"{name} ({counts[name]})" for name in names[:SHOWN])
    return f"{shown} and {len(names) - SHOWN} more columns" if len(names) > SHOWN else shown


def _missing(columns: Mapping[str, Mapping[str, int]]) -> str:
    gaps = {name: one["missing"] for name, one in columns.items() if one["missing"]}
    most = sorted(gaps, key=lambda name: -gaps[name])
    return f"{sum(gaps.values())} values: {_first_of(most, gaps)}" if gaps else "none"
