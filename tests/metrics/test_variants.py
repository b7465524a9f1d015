from __future__ import annotations

import numpy as np
import pytest

from cilsim.metrics import variants
from cilsim.metrics.forgetting import backward_transfer, forgetting

NAN = np.nan
R = np.array(
    [
        [0.9, NAN, NAN, NAN],
        [0.8, 0.7, NAN, NAN],
        [0.6, 0.75, 0.6, NAN],
        [0.5, 0.8, 0.4, 0.9],
    ]
)


@pytest.mark.parametrize(
    ("variant", "expected"),
    [
        (variants.forgetting_over_all_rows, (0.4 + 0.0 + 0.2) / 3),
        (variants.forgetting_since_learnt, (0.4 - 0.1 + 0.2) / 3),
        (variants.forgetting_pass, (0.4 + 0.0 + 0.2 + 0.0) / 3),
        (variants.forgetting_continuum, ((0.9 - 0.5) + (0.7 - 0.8)) / 3),
        (variants.forgetting_libcontinual, ((0.9 - 0.6) / 2 + (0.4 - 0.1) / 3) / 2),
        (variants.backward_transfer_continuum, ((0.6 - 0.9) + (0.5 - 0.9) + (0.8 - 0.7)) / 6),
        (variants.backward_transfer_libcontinual, ((0.6 - 0.9) / 3 + (-0.3 - 0.4 + 0.1) / 6) / 2),
        (
            variants.backward_transfer_over_all_pairs,
            (-0.1 + (-0.3 + 0.05) + (-0.4 + 0.1 - 0.2)) / 6,
        ),
        (variants.accuracy_over_all_pairs, (0.9 + 1.5 + 1.95 + 2.6) / 10),
        (variants.last_accuracy_by_experience, 2.6 / 4),
        (variants.happy_forgetting, 0.4),
        (variants.happy_discovery, (0.7 + 0.6 + 0.9) / 3),
    ],
)
def test_variant_on_a_matrix_worked_by_hand(variant, expected):
    assert variant(R, 3) == pytest.approx(expected)


def test_one_matrix_has_five_forgettings():
    values = {
        "Chaudhry": forgetting(R, 3),
        "PyCIL": variants.forgetting_over_all_rows(R, 3),
        "Avalanche": variants.forgetting_since_learnt(R, 3),
        "Continuum": variants.forgetting_continuum(R, 3),
        "LibContinual": variants.forgetting_libcontinual(R, 3),
    }
    assert {name: round(value, 4) for name, value in values.items()} == {
        "Chaudhry": 0.1833,
        "PyCIL": 0.2,
        "Avalanche": 0.1667,
        "Continuum": 0.1,
        "LibContinual": 0.125,
    }


def test_the_maximum_over_all_rows_is_never_below_that_over_earlier_rows():
    generator = np.random.default_rng(0)
    for _ in range(50):
        matrix = generator.random((5, 5))
        matrix[np.triu_indices(5, 1)] = NAN
        assert variants.forgetting_over_all_rows(matrix, 4) >= forgetting(matrix, 4)
        assert variants.forgetting_since_learnt(matrix, 4) == -backward_transfer(matrix, 4)


def test_the_scripts_of_pass_look_ahead_until_the_last_experience():
    """After 1: 0.9 falls to 0.8, and 0.7 is below the 0.8 of the last row."""
    values = [variants.forgetting_pass(R, after) for after in range(4)]
    assert values == pytest.approx([0.0, 0.1 + 0.1, (0.3 + 0.05 + 0.0) / 2, 0.2])
    assert values[3] == pytest.approx(variants.forgetting_over_all_rows(R, 3))
    assert forgetting(R, 1) == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("variant", "expected"),
    [
        (variants.forgetting_over_all_rows, NAN),
        (variants.forgetting_since_learnt, NAN),
        (variants.forgetting_pass, 0.0),
        (variants.forgetting_continuum, 0.0),
        (variants.forgetting_libcontinual, NAN),
        (variants.backward_transfer_continuum, 0.0),
        (variants.backward_transfer_libcontinual, NAN),
        (variants.backward_transfer_over_all_pairs, NAN),
        (variants.accuracy_over_all_pairs, 0.9),
        (variants.last_accuracy_by_experience, 0.9),
        (variants.happy_forgetting, NAN),
        (variants.happy_discovery, NAN),
    ],
)
def test_variant_after_the_first_experience(variant, expected):
    assert variant(R, 0) == pytest.approx(expected, nan_ok=True)
