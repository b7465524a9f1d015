from __future__ import annotations

import base64
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cilsim.report.cluster_pictures import latest_cluster_picture, read_cluster_picture
from cilsim.report.html import report_html
from cilsim.results.contact_sheet import GAP, TEXT_WIDTH, TILE
from cilsim.runner.request import ScenarioOutcome
from cilsim.testing import Project

GREYS = (0, 60, 120, 180, 240)
"""Each class is one grey: even a random network keeps them apart."""


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> ScenarioOutcome:
    """Three labelled greys, then two to discover."""
    project = Project.create(tmp_path_factory.mktemp("pictures"))
    y = np.repeat(np.arange(5), 20)
    x = np.repeat(np.array(GREYS, dtype=np.uint8)[y], 64).reshape(-1, 1, 8, 8)
    np.savez(project.folder / "greys.npz", x_train=x, y_train=y, x_test=x, y_test=y)
    stream = {
        "kind": "novel_class_discovery",
        "labelled_classes": 3,
        "dataset": {"name": "arrays", "path": "greys.npz"},
    }
    recipe = {"epochs": 1, "lr": 0.01}
    scenario = project.ring_scenario(
        {"name": "kmeans_discovery", "normalise": False},
        stream,
        backbone="small",
        base_training=recipe,
    )
    return project.run(scenario)


def test_each_discovered_cluster_has_a_row_of_its_images(outcome: ScenarioOutcome) -> None:
    picture = read_cluster_picture(outcome.results[0].run.folder, 1)
    assert picture is not None
    assert picture.shape[0] == 2 * (TILE + GAP) + GAP
    rows = [GAP + number * (TILE + GAP) + TILE // 2 for number in range(2)]
    shown = {tuple(picture[row, TEXT_WIDTH + TILE // 2].tolist()) for row in rows}
    assert shown == {(180,) * 3, (240,) * 3}


def test_labelled_experiences_have_no_picture(outcome: ScenarioOutcome) -> None:
    assert read_cluster_picture(outcome.results[0].run.folder, 0) is None


def test_the_html_report_holds_the_picture(outcome: ScenarioOutcome) -> None:
    latest = latest_cluster_picture(outcome.results[0])
    assert latest is not None
    experience, address = latest
    assert experience == 1
    stored = base64.b64decode(address.partition(",")[2])
    assert Image.open(BytesIO(stored)).size[1] == 2 * (TILE + GAP) + GAP
    page = report_html(outcome.results, "greys")
    assert address in page
    assert "What experience 1 discovered, seed 0" in page


def test_unlabelled_predictions_lie_beside_those_of_the_test_part(
    outcome: ScenarioOutcome,
) -> None:
    folder = outcome.results[0].run.folder / "predictions" / "unlabelled"
    names = sorted(path.name for path in folder.iterdir())
    assert names == ["experience-00.npz", "experience-01.npz"]


def test_features_have_no_picture(tmp_path: Path) -> None:
    project = Project.create(tmp_path)
    stream = {"kind": "novel_class_discovery", "labelled_classes": 8}
    scenario = project.ring_scenario("kmeans_discovery", stream, backbone="identity")
    result = project.run(scenario).results[0]
    assert latest_cluster_picture(result) is None
