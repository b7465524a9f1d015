from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cilsim import Experience, hookimpl
from cilsim.runner.redaction import without_number_of_classes
from cilsim.strategy import Strategy
from cilsim.testing import Project

CONTINUAL = {
    "kind": "continual_category_discovery",
    "old_classes": 4,
    "stages": 2,
    "new_samples": 50,
    "seen_samples": 10,
}


class Watch:
    """Notes what a strategy is told at each experience."""

    def __init__(self) -> None:
        self.streams: list[Any] = []

    @hookimpl
    def cilsim_train_experience(self, strategy: Strategy, experience: Experience) -> None:
        self.streams.append(strategy.context.run.stream)


def classes_found(project: Project, number: Any, **stream: Any) -> list[float]:
    scenario = project.ring_scenario(
        {"name": "kmeans_discovery", "normalise": False},
        {**CONTINUAL, "number_of_classes": number, **stream},
        backbone="identity",
    )
    assert not project.run(scenario).failures
    metrics = project.files("toy", "kmeans_discovery").metrics()
    return [metrics[experience, "classes_found"] for experience in range(3)]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project.create(tmp_path)


def test_given_and_over_are_what_they_say(project: Project) -> None:
    assert classes_found(project, "given") == [4.0, 7.0, 10.0]


def test_over_adds_more_at_each_stage(project: Project) -> None:
    assert classes_found(project, {"over": 1.5}) == [4.0, 9.0, 14.0]


def test_separate_clouds_are_counted_right(project: Project) -> None:
    """The plane's ten clouds, from class statistics kept when the labelled samples were there."""
    found = classes_found(project, {"estimate": "silhouette", "at_most": 8}, new_samples=60)
    assert found[0] == 4.0
    assert abs(found[2] - 10.0) <= 2.0


def test_no_more_classes_are_estimated_than_there_are_samples(project: Project) -> None:
    stages = [{"classes": 8}, {"classes": 2, "labelled": 0, "samples": 1}]
    scenario = project.ring_scenario(
        {"name": "kmeans_discovery", "normalise": False},
        {"kind": "mixed", "stages": stages, "number_of_classes": "estimate"},
        backbone="identity",
    )
    assert not project.run(scenario).failures
    assert project.files("toy", "kmeans_discovery").metrics()[1, "classes_found"] <= 10.0


def test_more_classes_than_samples_end_in_one_line(project: Project) -> None:
    stages = [{"classes": 8}, {"classes": 2, "labelled": 0, "samples": 1}]
    scenario = project.ring_scenario(
        {"name": "kmeans_discovery", "normalise": False},
        {"kind": "mixed", "stages": stages, "number_of_classes": {"over": 4}},
        backbone="identity",
    )
    failures = project.run(scenario).failures
    assert [failure.message for failure in failures] == [
        "plugin 'kmeans_discovery' of cilsim 0.1.0: learn() of strategy 'kmeans_discovery', "
        "experience 1: ValueError: 2 points for 8 clusters without labels; expected at least one "
        "point per cluster"
    ]


def test_statistics_that_are_kept_for_estimates_are_declared(project: Project) -> None:
    scenario = project.ring_scenario(
        "kmeans_discovery",
        {**CONTINUAL, "number_of_classes": {"estimate": "published", "at_most": 4}},
        backbone="identity",
    )
    outcome = project.run(scenario)
    kept = outcome.results[0].evaluations[0].kept
    assert kept["class statistics"] == 2 * 4 * 2 * 4  # means and spreads, classes, size, float32


def test_who_is_not_told_the_number_cannot_read_it_off_the_stream(project: Project) -> None:
    watch = Watch()
    scenario = project.ring_scenario(
        "kmeans_discovery", {**CONTINUAL, "number_of_classes": {"over": 1.5}}, backbone="identity"
    )
    outcome = project.run(scenario, reporters=lambda start: [watch])
    assert not outcome.failures
    told = watch.streams[0]
    assert [experience.new_labels for experience in told.experiences] == [(0, 1, 2, 3), (), ()]
    assert [experience.seen for experience in told.experiences] == [4, 4, 4]
    assert [experience.test for experience in told.experiences] == [0, 0, 0]
    assert (told.class_ids, told.class_names) == ((), ())


def test_redaction_leaves_the_original_as_it_is(project: Project) -> None:
    outcome = project.run(project.ring_scenario("kmeans_discovery", CONTINUAL, backbone="identity"))
    run = outcome.results[0].run
    before = replace(run)
    without_number_of_classes(run)
    assert run == before
    assert len(run.stream.class_ids) == 10
