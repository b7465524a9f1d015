"""Example images are stored when a run ends, and reports show them without the data."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cilsim.errors import CheckpointError
from cilsim.report.examples import examples_of
from cilsim.report.html import report_html
from cilsim.results.example_sheet import parse_example_sheet
from cilsim.results.seed_folder import EXAMPLES
from cilsim.runner.example_picture import RIGHT, WRONG
from cilsim.testing import Project

GREYS = (0, 60, 120, 180)


def grey_project(folder: Path) -> tuple[Project, dict[str, Any]]:
    """Return a project with images of one grey per class, and a scenario of two experiences.

    Half of the test images of class 3 look like class 0.
    """
    project = Project.create(folder)
    y = np.repeat(np.arange(4), 20)
    x = np.repeat(np.array(GREYS, dtype=np.uint8)[y], 64).reshape(-1, 1, 8, 8)
    x_test = x.copy()
    x_test[-10:] = GREYS[0]
    names = np.array(["black", "dark", "middle", "bright"])
    np.savez(folder / "greys.npz", x_train=x, y_train=y, x_test=x_test, y_test=y,
             class_names=names)  # fmt: skip
    stream = {
        "kind": "class_incremental", "increment": 2,
        "dataset": {"name": "arrays", "path": "greys.npz"},
    }  # fmt: skip
    scenario = project.ring_scenario(
        "nmc", stream, backbone="small", base_training={"epochs": 1, "lr": 0.01},
        class_order="natural",
    )  # fmt: skip
    return project, scenario


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> Any:
    project, scenario = grey_project(tmp_path_factory.mktemp("examples"))
    return project.run(scenario)


def test_the_sheet_holds_right_then_wrong_predictions(outcome: Any) -> None:
    (result,) = outcome.results
    path = result.run.folder / EXAMPLES
    sheet = parse_example_sheet(path, path.read_bytes())
    found = result.evaluations[-1].predictions
    place = {int(index): at for at, index in enumerate(found.index)}
    right = [
        bool(found.predicted[place[one]] == found.label[place[one]]) for one in sheet.positions
    ]
    count = int((found.predicted == found.label).sum())
    expected = [True] * min(RIGHT, count) + [False] * min(WRONG, len(found.label) - count)
    assert (right, len(set(sheet.positions))) == (expected, len(expected))
    assert right.count(False) > 0


def test_examples_say_true_and_predicted_class(outcome: Any) -> None:
    (result,) = outcome.results
    examples = examples_of(result)
    assert examples is not None
    assert all(one.true == one.predicted for one in examples.right)
    assert all(one.true != one.predicted for one in examples.wrong)
    assert {one.true for one in examples.right} <= {"black", "dark", "middle", "bright"}


def test_the_html_report_shows_them_with_words(outcome: Any) -> None:
    page = report_html(outcome.results, "greys")
    examples = examples_of(outcome.results[0])
    assert examples is not None
    told = re.findall(r'aria-label="a test sample of (\w+), predicted as (\w+)"', page)
    assert told == [(one.true, one.predicted) for one in (*examples.right, *examples.wrong)]
    assert page.count(examples.address) == 1


def test_a_damaged_sheet_is_named_and_refused(outcome: Any) -> None:
    (result,) = outcome.results
    path = result.run.folder / EXAMPLES
    content = path.read_bytes()
    path.write_bytes(content[:-9])
    try:
        with pytest.raises(CheckpointError) as caught:
            report_html(outcome.results, "greys")
    finally:
        path.write_bytes(content)
    assert str(caught.value) == (
        f"{path}: is damaged: its checksum does not match the one in SHA256SUMS"
    )


def test_a_lost_sheet_is_drawn_again_by_a_resume(tmp_path: Path) -> None:
    project, scenario = grey_project(tmp_path)
    path = project.run(scenario).results[0].run.folder / EXAMPLES
    content = path.read_bytes()
    path.unlink()
    project.run(scenario)
    assert path.read_bytes() == content


def test_features_have_no_examples(tmp_path: Path) -> None:
    project = Project.create(tmp_path)
    result = project.run(project.ring_scenario("nmc", backbone="identity")).results[0]
    assert examples_of(result) is None
    assert not (result.run.folder / EXAMPLES).exists()
    assert json.loads((result.run.folder / "stream.json").read_text())["kind"]
