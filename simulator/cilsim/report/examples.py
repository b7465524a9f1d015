"""Example images of a run with what was predicted for them, from its stored sheet."""

from __future__ import annotations

from dataclasses import dataclass

from cilsim.metrics.named import named_predictions
from cilsim.records import RunResult
from cilsim.report.cluster_pictures import data_address
from cilsim.results.example_sheet import parse_example_sheet
from cilsim.results.sealed_folder import SealedFolder
from cilsim.results.seed_folder import EXAMPLES


@dataclass(frozen=True)
class Example:
    """One test sample.

    Attributes:
        column: of its tile in the sheet.
        row: likewise.
        true: name of its class.
        predicted: name of the predicted class; `no class` for an unmatched cluster.
    """

    column: int
    row: int
    true: str
    predicted: str


@dataclass(frozen=True)
class Examples:
    """The examples of a run.

    Attributes:
        address: the sheet as a `data:` address.
        tile: side of a tile, in pixels.
        columns: tiles in a row of the sheet.
        seed: of the run.
        right: those with a right prediction.
        wrong: the others.
    """

    address: str
    tile: int
    columns: int
    seed: int
    right: tuple[Example, ...]
    wrong: tuple[Example, ...]


def examples_of(result: RunResult) -> Examples | None:
    """Return the examples that a run has stored, or None: ready features have none.

    Raises:
        CheckpointError: the file is missing or damaged.
    """
    content = SealedFolder(result.run.folder).read(EXAMPLES)
    if content is None:
        return None
    sheet = parse_example_sheet(result.run.folder / EXAMPLES, content)
    predictions, stream = result.evaluations[-1].predictions, result.run.stream
    named_N = named_predictions(predictions, stream)
    place_of = {position: place for place, position in enumerate(predictions.index.tolist())}
    right: list[Example] = []
    wrong: list[Example] = []
    for number, position in enumerate(sheet.positions):
        place = place_of[position]
        true, named = int(predictions.label[place]), int(named_N[place])
        example = Example(
            column=number % sheet.columns,
            row=number // sheet.columns,
            true=stream.class_names[true],
            predicted="no class" if named < 0 else stream.class_names[named],
        )
        (right if true == named else wrong).append(example)
    return Examples(
        address=data_address(sheet.png),
        tile=sheet.tile,
        columns=sheet.columns,
        seed=result.run.seed,
        right=tuple(right),
        wrong=tuple(wrong),
    )
