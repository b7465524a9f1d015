from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cilsim.errors import ScenarioError
from cilsim.testing import Project


@pytest.fixture
def finished(tmp_path: Path) -> Project:
    project = Project.create(tmp_path)
    project.run(project.ring_scenario("nmc", backbone="identity"))
    return project


def test_a_run_leaves_its_files_below_the_project(finished: Project) -> None:
    folder = finished.files("toy", "nmc").folder
    assert folder == finished.folder / "runs" / "toy" / "nmc" / "seed-0"
    assert (folder / "metrics.jsonl").is_file()


def test_metrics_are_read_by_experience_and_name(finished: Project) -> None:
    metrics = finished.files("toy", "nmc").metrics()
    assert metrics[0, "A_all"] == 1.0
    assert (0, "forgetting") not in metrics


def test_the_accuracy_matrix_has_no_number_for_the_future(finished: Project) -> None:
    matrix = finished.files("toy", "nmc").accuracy_matrix()
    assert matrix.shape == (5, 5)
    np.testing.assert_array_equal(np.isnan(matrix), np.triu(np.ones((5, 5)), k=1))


def test_predictions_come_in_the_order_of_the_stream(finished: Project) -> None:
    sizes = [len(stored["index"]) for stored in finished.files("toy", "nmc").predictions()]
    assert sizes == [60, 120, 180, 240, 300]


def test_the_bytes_to_compare_are_those_without_times(finished: Project) -> None:
    names = sorted(finished.files("toy", "nmc").deterministic_bytes())
    predictions = [f"predictions/experience-{index:02d}.npz" for index in range(5)]
    assert names == ["accuracy_matrix.csv", "metrics.jsonl", *predictions]


def test_the_status_is_read(finished: Project) -> None:
    assert finished.status("toy")["state"] == "finished"


def test_a_wrong_scenario_is_refused_as_on_the_command_line(tmp_path: Path) -> None:
    project = Project.create(tmp_path)
    with pytest.raises(ScenarioError) as raised:
        project.run(project.ring_scenario("nnc"))
    (problem,) = raised.value.problems
    assert (problem.path, problem.message) == (
        "strategy",
        "no strategy is named 'nnc'; did you mean 'nmc'?",
    )
