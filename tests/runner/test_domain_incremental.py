"""Streams whose classes come again, from the scenario file to the reports."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from cilsim import hookimpl
from cilsim.prototypes.table import PrototypeTable
from cilsim.report.final_table import final_table
from cilsim.report.html import report_html
from cilsim.runner.references import with_references
from cilsim.testing import Project, write_ring


@pytest.fixture
def project(tmp_path: Path) -> Project:
    project = Project.create(tmp_path)
    write_ring(tmp_path / "ring.npz", domains=True)
    return project


def run(project: Project, strategies: list[Any], name: str = "toy", **stream: Any) -> Any:
    scenario = project.ring_scenario("nmc", {"kind": "domain_incremental", **stream})
    del scenario["strategy"]
    outcome = project.run({**scenario, "strategies": strategies}, name)
    assert not outcome.failures
    return outcome


def test_the_matrix_has_the_accuracy_on_each_test_part(project: Project) -> None:
    run(project, ["nmc"])
    files = project.files("toy", "nmc")
    matrix = files.accuracy_matrix()
    for after, stored in enumerate(files.predictions()):
        right = (stored["predicted"] == stored["label"]).reshape(after + 1, 100)
        np.testing.assert_array_equal(matrix[after, : after + 1], right.mean(axis=1))
        assert np.isnan(matrix[after, after + 1 :]).all()


def test_a_fixed_test_set_is_predicted_after_every_experience(project: Project) -> None:
    run(project, ["nmc"], test={"fixed": ["middle"]})
    files = project.files("toy", "nmc")
    first, second = files.predictions()
    assert first["index"].tolist() == second["index"].tolist()
    matrix = files.accuracy_matrix()
    assert np.isnan(matrix[:, 1]).all()
    assert matrix[1, 0] == files.metrics()[1, "A_all"]
    names = {name for _, name in files.metrics() if not name.startswith("prototypes/")}
    assert names == {"A_all", "A_avg_inc", "performance_drop", "accuracy_by_experience/00"}


def test_intransigence_is_measured_on_own_test_parts_only(project: Project) -> None:
    names = {"finetune": "finetune", "joint": "joint"}
    own = run(project, [*names])
    assert math.isfinite(with_references(own.results, names)[0].final["intransigence"])
    fixed = run(project, [*names], "fixed", test={"fixed": ["middle"]})
    assert "intransigence" not in with_references(fixed.results, names)[0].final


def test_reports_are_written_for_both_kinds_of_test(project: Project) -> None:
    for name, test in (("own", "own"), ("fixed", {"fixed": ["middle"]})):
        results = run(project, ["nmc", "finetune"], name, test=test).results
        assert "A_avg_inc" in report_html(results, name)
        heads = final_table(results).splitlines()[1].split()
        assert heads[:4] == ["experience", "classes", "all", "average"]
        assert ("forgetting" in heads) == (name == "own")


def test_a_calibrator_sees_moved_means_as_raw(project: Project) -> None:
    """Calibrators are handed the means of all samples so far, not those of experience 0."""
    seen: list[Any] = []

    class Looks:
        @hookimpl
        def cilsim_calibrate_prototypes(self, prototypes: PrototypeTable) -> None:
            seen.append((prototypes.raw, prototypes.vectors, prototypes.new))

    scenario = project.ring_scenario("nmc", {"kind": "domain_incremental"}, backbone="identity")
    project.run(scenario, reporters=lambda start: [Looks()])
    assert [list(new) for _, _, new in seen] == [list(range(10)), [], []]
    for raw, vectors, _ in seen:
        assert torch.equal(raw, vectors)
    assert not torch.equal(seen[0][0], seen[1][0])
