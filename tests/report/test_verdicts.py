"""Verdicts on differences worked out by hand, and what is taken from the runs for them."""

from __future__ import annotations

import dataclasses

import pytest

from cilsim.errors import CilsimError
from cilsim.metrics.statistics import Interval
from cilsim.report.verdicts import Comparison, compare, lower_is_better, refuse_unusable
from cilsim.scenario.published import Published


def entry(metric: str = "A_all", tolerance: float = 1.0, **values: object) -> Published:
    given = values or {"value": 60.0}
    return Published(strategy="nmc", metric=metric, source="a paper", tolerance=tolerance, **given)  # type: ignore[arg-type]


def comparison(mean: float, half: float = 0.0, n: int = 3, metric: str = "A_all") -> Comparison:
    measured = Interval(mean, mean - half, mean + half, n)
    return Comparison(entry(metric), 2, 60.0, measured)


@pytest.mark.parametrize(
    ("mean", "half", "verdict", "mark"),
    [
        (60.0, 0.0, "PASS", ""),
        (59.0, 0.0, "PASS", ""),  # exactly the tolerance
        (58.9, 0.0, "NEAR", ""),
        (58.0, 0.0, "NEAR", ""),  # exactly twice the tolerance
        (57.9, 0.0, "MISS", ""),
        (57.0, 3.0, "PASS", ""),  # within the interval
        (54.0, 3.0, "NEAR", ""),
        (53.9, 3.0, "MISS", ""),
        (57.9, 0.5, "MISS", ""),  # the tolerance is more than the interval
        (61.0, 0.0, "PASS", ""),
        (61.1, 0.0, "PASS", "above"),
        (75.0, 0.0, "PASS", "above"),
        (62.0, 3.0, "PASS", ""),
    ],
)
def test_an_accuracy_is_judged_by_tolerance_and_interval(mean, half, verdict, mark):
    judged = comparison(mean, half)
    assert (judged.verdict, judged.mark) == (verdict, mark)


@pytest.mark.parametrize(
    ("mean", "verdict", "mark"),
    [(61.0, "PASS", ""), (61.5, "NEAR", ""), (62.5, "MISS", ""), (55.0, "PASS", "below")],
)
def test_less_forgetting_than_published_passes_and_is_marked(mean, verdict, mark):
    judged = comparison(mean, metric="forgetting")
    assert (judged.verdict, judged.mark) == (verdict, mark)


@pytest.mark.parametrize(("n", "allowed"), [(1, 1.0), (2, 1.0), (3, 8.0)])
def test_below_three_seeds_the_interval_does_not_count(n, allowed):
    half = float("nan") if n == 1 else 8.0
    assert comparison(55.0, half, n).allowed == allowed


def test_a_difference_that_is_the_tolerance_but_for_rounding_passes():
    judged = Comparison(entry(tolerance=1.2), 2, 66.3, Interval(65.1, 65.1, 65.1, 1))
    assert judged.difference < -1.2
    assert judged.verdict == "PASS"


def test_what_was_not_measured_is_missed_and_says_so():
    judged = Comparison(entry(), 2, 60.0, None)
    assert (judged.verdict, judged.mark) == ("MISS", "absent")


def test_the_mean_over_seeds_is_taken_in_percent(make_result):
    runs = [make_result("nmc", 0), make_result("nmc", 1, shift=0.02)]
    [judged] = compare([entry()], runs)
    assert judged.experience == 2
    assert judged.measured is not None
    assert judged.measured.mean == pytest.approx(57.0)
    assert judged.measured.n == 2


def test_values_are_compared_by_experience(make_result):
    found = compare([entry(values=(90.0, None, 56.0))], [make_result("nmc")])
    assert [(one.experience, one.published, one.verdict) for one in found] == [
        (0, 90.0, "PASS"),
        (2, 56.0, "PASS"),
    ]


def test_runs_of_other_strategies_do_not_count(make_result):
    [judged] = compare([entry()], [make_result("nmc"), make_result("teen", shift=0.2)])
    assert judged.measured is not None
    assert (judged.measured.n, judged.measured.mean) == (1, pytest.approx(56.0))


def test_a_metric_without_meaning_at_an_experience_is_not_measured(make_result):
    [judged] = compare([entry("A_novel", values=(50.0, None, None))], [make_result("nmc")])
    assert judged.measured is None


def test_a_value_of_a_metric_set_is_computed_from_the_predictions(make_result):
    result = make_result("nmc")
    experiences = [
        dataclasses.replace(experience, test=len(experience.new_labels))
        for experience in result.run.stream.experiences
    ]
    stream = dataclasses.replace(result.run.stream, experiences=tuple(experiences))
    result = dataclasses.replace(result, run=dataclasses.replace(result.run, stream=stream))
    [judged] = compare([entry("facil/avg_accs_tag")], [result])
    assert judged.measured is not None
    assert judged.measured.mean == pytest.approx(100.0)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            entry("A_al"),
            "published: nmc, A_al: no metric has that name; did you mean 'A_all'?",
        ),
        (entry("nmi"), "published: nmc, nmi: is not in percent, so it cannot be compared"),
        (
            entry(values=(1.0, 2.0)),
            "published: nmc, A_all: expected one value for each of the 3 experiences, found 2",
        ),
    ],
)
def test_an_entry_that_nothing_can_be_compared_with_is_refused(given, message):
    with pytest.raises(CilsimError) as refused:
        refuse_unusable([given], 3)
    assert str(refused.value) == message


def test_metrics_of_plugins_and_metric_sets_are_known():
    refuse_unusable([entry("mine"), entry("pycil/forgetting")], 3, ["mine"])


@pytest.mark.parametrize(
    ("metric", "lower"),
    [
        ("A_all", False),
        ("forgetting", True),
        ("forgetting_by_experience/01", True),
        ("pycil/forgetting", True),
        ("pycil/A_last", False),
        ("facil/forg_tag", True),
        ("happy/M_f", True),
        ("gcd-v1/new", False),
        ("mine", False),
    ],
)
def test_the_better_direction_is_known(metric, lower):
    assert lower_is_better(metric) is lower
