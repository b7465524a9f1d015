from __future__ import annotations

import numpy as np
import pytest

from cilsim.metrics.metric_sets import METRIC_SETS, metric_set


@pytest.fixture
def run(stream, predictions):
    """Two classes of three samples, then two single classes of one sample each."""
    history = [
        predictions(0, [0, 0, 0, 1], [0, 0, 0, 0]),
        predictions(1, [0, 0, 0, 1, 2], [0, 0, 0, 1, 2]),
        predictions(2, [0, 0, 0, 1, 2, 3], [0, 0, 3, 1, 0, 3]),
    ]
    return history, stream((2, 1, 1), tests=(4, 1, 1))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (
            "pycil",
            {
                "A_last": 4 / 6,
                "average_accuracy": (3 / 4 + 1 + 4 / 6) / 3,
                "forgetting": (1 / 4 + 1) / 2,
            },
        ),
        (
            "facil",
            {
                "avg_accs_tag": (3 / 4 + 0 + 1) / 3,
                "average_incremental": (3 / 4 + 1 + (3 / 4 + 0 + 1) / 3) / 3,
                "forg_tag": (1 / 4 + 1) / 2,
            },
        ),
        (
            "mammoth",
            {
                "accuracy": (3 / 4 + 0 + 1) / 3,
                "backward_transfer": (0 - 1) / 2,
                "forgetting": (1 / 4 + 1) / 2,
            },
        ),
        (
            "avalanche",
            {"Top1_Acc_Stream": 4 / 6, "StreamForgetting": (0 + 1) / 2, "StreamBWT": -1 / 2},
        ),
        (
            "continuum",
            {
                "accuracy_A": (3 / 4 + 1 + 1 + 3 / 4 + 0 + 1) / 6,
                "backward_transfer": 0.0,
                "forgetting": (3 / 4 - 3 / 4) / 2,
            },
        ),
        (
            "libcontinual",
            {
                "batch_overall_accuracy": (3 / 4 + 1 + 4 / 6) / 3,
                "task_overall_accuracy": (3 / 4 + 1 + (3 / 4 + 0 + 1) / 3) / 3,
                "overall_forgetting": 0.0,
                "overall_bwt": 0.0,
            },
        ),
        ("gcd-v1", {"all": 5 / 6, "old": 3 / 4, "new": 1.0}),
        ("gcd-balanced", {"all": (2 / 3 + 1 + 0 + 1) / 4, "old": (2 / 3 + 1) / 2, "new": 1 / 2}),
        ("gcd-v2", {"all": 4 / 6, "old": 3 / 4, "new": 1 / 2, "purity": 4 / 6}),
        ("happy", {"M_f": 0.0, "M_d": 1.0, "all": 4 / 6, "old": 3 / 5, "new": 1.0}),
        ("happy-hard", {"M_f": 0.0, "M_d": 1.0, "all": 4 / 6, "old": 3 / 4, "new": 1 / 2}),
        ("grow-and-merge", {"M_f": 3 / 4 - 3 / 5, "M_d": 1.0}),
        ("cr-kd-v1", {"all": 4 / 6, "seen": 3 / 4, "novel": 1.0}),
        ("cr-kd-v3", {"all": 4 / 6, "seen": 3 / 4, "novel": 1 / 2}),
    ],
)
def test_metric_set_on_a_run_worked_by_hand(run, name, expected):
    assert metric_set(name, *run) == pytest.approx(expected)


@pytest.fixture
def stages(stream, predictions):
    """A labelled class 0, then two stages of one class whose predictions are cluster ids."""
    history = [
        predictions(0, [0, 0, 0, 0], [0, 0, 0, 1]),
        predictions(1, [0, 0, 0, 0, 1, 1], [8, 8, 8, 5, 5, 5]),
        predictions(2, [0, 0, 0, 0, 1, 1, 2, 2], [8, 8, 4, 4, 5, 5, 4, 4]),
    ]
    return history, stream((1, 1, 1), unlabelled=(0, 4, 4), tests=(4, 2, 2))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("happy", {"M_f": 3 / 4 - 1 / 2, "M_d": 1.0, "all": 6 / 8, "old": 4 / 6, "new": 1.0}),
        ("happy-hard", {"M_f": 3 / 4 - 1 / 2, "M_d": 1.0, "all": 6 / 8, "old": 1 / 2, "new": 1.0}),
        ("grow-and-merge", {"M_f": 3 / 4 - 4 / 6, "M_d": 1.0}),
        ("gcd-v1", {"all": 6 / 8, "old": 1 / 2, "new": 1.0}),
        ("gcd-v2", {"all": 6 / 8, "old": 1 / 2, "new": 1.0, "purity": 6 / 8}),
    ],
)
def test_metric_set_on_stages_worked_by_hand(stages, name, expected):
    assert metric_set(name, *stages) == pytest.approx(expected)


@pytest.mark.parametrize("name", ["happy", "happy-hard", "grow-and-merge"])
def test_after_stage_0_alone_nothing_is_forgotten_or_discovered(stages, name):
    history, info = stages
    assert np.isnan(list(metric_set(name, history[:1], info).values())).all()


def test_every_metric_set_has_a_summary_of_one_line():
    assert all(item.summary and "\n" not in item.summary for item in METRIC_SETS.values())


def test_an_unknown_metric_set_is_answered_with_the_nearest(run):
    with pytest.raises(
        ValueError, match=r"^no metric set is named 'pycill'; did you mean 'pycil'\?$"
    ):
        metric_set("pycill", *run)
