"""docs/tensorboard.md names the tags that real runs write, and no others."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from cilsim.metrics.names import METRICS
from cilsim.report.aggregate import write_aggregates
from cilsim.report.tensorboard import TensorBoardReporter
from cilsim.runner.request import RunStart, ScenarioOutcome
from cilsim.testing import Project

NOT_WRITTEN_HERE = {"train/loss_<part>", "strategy/<name>", "images/clusters"}
"""Tags of strategies that log or train by parts, and of streams of images."""


@pytest.fixture(scope="module")
def documented(docs: Path) -> set[str]:
    """The tags in the first column of the tables."""
    page = (docs / "tensorboard.md").read_text().partition("## Tags")[2]
    cells = re.findall(r"^\| (`.*?`) \|", page, flags=re.MULTILINE)
    return {tag for cell in cells for tag in re.findall(r"`([^`]+)`", cell)}


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """The tags of a labelled and of a discovery run, generalised, with their bands."""
    project = Project.create(tmp_path_factory.mktemp("tensorboard"))
    pairs = {"kind": "class_incremental", "sizes": [2, 2, 2]}
    stage = {"kind": "novel_class_discovery", "labelled_classes": 4, "novel_classes": 2}
    recipe = {"epochs": 1, "batch_size": 60, "lr": 0.05}
    small = {"base_training": recipe, "training": recipe, "seeds": [0, 1]}
    outcomes = [
        project.run(
            project.ring_scenario("teen", pairs, evaluate={"representation": True}, **small),
            "pairs",
            reporters=reporters,
        ),
        project.run(
            project.ring_scenario("kmeans_discovery", stage, **small), "stage", reporters=reporters
        ),
    ]
    return {tag for outcome in outcomes for folder in folders(outcome) for tag in tags(folder)}


def reporters(start: RunStart) -> Sequence[object]:
    return [TensorBoardReporter(start.replay, (), start.resolved, start.environment)]


def folders(outcome: ScenarioOutcome) -> list[Path]:
    assert not outcome.failures
    return [
        *(result.run.folder for result in outcome.results),
        *write_aggregates(outcome.results),
    ]


def tags(folder: Path) -> set[str]:
    events = EventAccumulator(str(folder))
    events.Reload()
    found: dict[str, Any] = events.Tags()
    plain = [*found["scalars"], *found["images"], *found["tensors"]]
    hparams = events.summary_metadata if hasattr(events, "summary_metadata") else {}
    return {general(tag) for tag in (*plain, *hparams)}


def general(tag: str) -> str:
    """Return the tag as the page writes it."""
    tag = tag.removesuffix("/text_summary")
    head, _, metric = tag.partition("/")
    if head == "eval" and metric in METRICS:
        return "eval/<metric>"
    if head == "transductive":
        return "transductive/<metric>"
    if head == "mean":
        return f"mean/<metric>/{tag.rpartition('/')[2]}"
    return re.sub(r"_by_experience/\d\d$", "_by_experience/<j>", tag)


def test_every_tag_that_is_written_is_documented(documented: set[str], written: set[str]) -> None:
    assert written - documented == set()


def test_every_documented_tag_is_written(documented: set[str], written: set[str]) -> None:
    assert documented - written - NOT_WRITTEN_HERE == set()
