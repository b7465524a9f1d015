from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from benchmarks.scaling import features
from benchmarks.scaling.curves import CURVES, QUICK, Case
from benchmarks.scaling.drawing import draw
from benchmarks.scaling.exponents import exponent
from benchmarks.scaling.features import made_arrays
from benchmarks.scaling.probe import measure

FIGURES = {
    "seconds_learning": 2.0, "seconds_evaluating": 1.0, "own_bytes": 1e6, "run_folder_bytes": 1e5,
}  # fmt: skip


def test_the_exponent_of_a_power_is_that_power() -> None:
    assert exponent({x: 3.0 * x**1.5 for x in (10, 100, 1000)}) == pytest.approx(1.5, abs=1e-12)


def test_the_exponent_is_that_of_the_largest_points() -> None:
    figures = {1: 9.0, 10: 10.0, 100: 100.0, 1000: 1000.0}
    assert exponent(figures) == pytest.approx(1.0, abs=1e-12)


def test_one_point_has_no_exponent() -> None:
    with pytest.raises(ValueError) as error:  # noqa: PT011 - the message is compared whole
        exponent({10: 1.0})
    assert str(error.value) == "1 points [(10, 1.0)]; expected at least 2 of positive figures"


def test_features_in_a_file_are_those_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = made_arrays(tmp_path, 4, 30, 5, 8)
    monkeypatch.setattr(features, "MAPPED_BYTES", 1000)
    mapped = made_arrays(tmp_path, 4, 30, 5, 8)
    assert isinstance(mapped["x_train"], np.memmap)
    assert not isinstance(mapped["x_test"], np.memmap)  # 640 bytes
    for name, array in held.items():
        np.testing.assert_array_equal(mapped[name], array)


def test_every_point_of_a_curve_changes_its_axis_alone() -> None:
    sizes = {
        "classes": lambda case: case.classes,
        "experiences": lambda case: case.experiences,
        "features": lambda case: case.train_samples,
    }
    for name, curve in CURVES.items():
        for value, case in curve(QUICK[name]).points:
            assert sizes[name](case) == value


@pytest.mark.parametrize(
    "case",
    [
        Case({"name": "nmc"}, 6, 3, 4, 2, 8),
        Case({"name": "kmeans_discovery", "inits": 1}, 6, 1, 8, 2, 8, discovery=True),
    ],
    ids=["prototypes", "discovery"],
)
def test_a_point_reports_what_a_run_took(case: Case) -> None:
    found = measure(case)
    assert 0.0 < found["seconds_learning"] <= found["seconds_in_all"]
    assert 0.0 < found["seconds_evaluating"] <= found["seconds_in_all"]
    assert found["resident_bytes"] > found["own_bytes"] >= 0
    assert 10_000 < found["run_folder_bytes"] < 1_000_000
    assert found["device_bytes"] >= 0
    assert 0.0 <= found["accuracy"] <= 1.0


def test_a_point_that_fails_says_why() -> None:
    case = Case({"name": "fecam"}, 4, 2, 1, 2, 8)
    with pytest.raises(RuntimeError, match="a covariance of its own needs at least 2"):
        measure(case)


def test_curves_are_drawn_as_a_png(tmp_path: Path) -> None:
    points = {value: {name: figure * value for name, figure in FIGURES.items()} for value in (1, 9)}
    path = tmp_path / "curve.png"
    draw({"nmc": points, "slda": points}, "classes", path)
    content = path.read_bytes()
    assert content.startswith(b"\x89PNG")
    width, height = (int.from_bytes(content[at : at + 4], "big") for at in (16, 20))
    assert width > height > 300
