"""Comparisons against scipy and against numbers worked out by hand."""

import math

import pytest
from scipy import stats

from cilsim.errors import RunFolderError
from cilsim.metrics.statistics import holm
from cilsim.report.comparison import compare
from cilsim.report.entrants import Group, entrants

TEEN = {0: 0.60, 1: 0.62, 2: 0.61, 3: 0.63}
NMC = {0: 0.55, 1: 0.58, 2: 0.55, 3: 0.59}
ICARL = {0: 0.52, 1: 0.60, 2: 0.56, 3: 0.57}
FINETUNE = {0: 0.20, 1: 0.25, 2: 0.22, 3: 0.21}
JOINT = {0: 0.80, 1: 0.81, 2: 0.79, 3: 0.82}


def raw_p(one, other):
    return float(stats.ttest_rel(list(one.values()), list(other.values())).pvalue)


def test_strategies_are_sorted_by_their_mean(field):
    found = compare(field({"nmc": NMC, "teen": TEEN, "icarl": ICARL}), "A_all")
    assert [row.label for row in found.rows] == ["teen", "nmc", "icarl"]


def test_less_is_better_where_the_metric_says_so(field):
    found = compare(field({"nmc": NMC, "teen": TEEN}, "forgetting"), "forgetting")
    assert [row.label for row in found.rows] == ["nmc", "teen"]


def test_intervals_are_those_of_student(field):
    (row,) = compare(field({"teen": TEEN}), "A_all").rows
    values = list(TEEN.values())
    low, high = stats.t.interval(0.95, 3, loc=0.615, scale=stats.sem(values))
    assert (row.interval.mean, row.interval.lower, row.interval.upper) == pytest.approx(
        (0.615, low, high)
    )


def test_all_pairs_are_one_family_of_paired_t_tests(field):
    found = compare(field({"nmc": NMC, "teen": TEEN, "icarl": ICARL}), "A_all")
    raw = [raw_p(TEEN, NMC), raw_p(TEEN, ICARL), raw_p(NMC, ICARL)]
    assert [(pair.first, pair.second) for pair in found.pairs] == [
        ("teen", "nmc"), ("teen", "icarl"), ("nmc", "icarl")
    ]  # fmt: skip
    assert [pair.p for pair in found.pairs] == pytest.approx(holm(raw))
    # ascending the raw ones are teen-nmc, teen-icarl, nmc-icarl: times 3, 2, 1
    assert holm(raw) == pytest.approx([3 * raw[0], 2 * raw[1], raw[2]])


def test_a_row_is_itself_minus_the_reference(field):
    best, second = compare(field({"nmc": NMC, "teen": TEEN}), "A_all").rows
    assert best.against is None
    # the differences are -0.05, -0.04, -0.06, -0.04
    found = second.against.difference
    half = stats.t.ppf(0.975, 3) * stats.sem([0.05, 0.04, 0.06, 0.04])
    assert (found.mean, found.lower, found.upper, found.n) == pytest.approx(
        (-0.0475, -0.0475 - half, -0.0475 + half, 4)
    )


def test_a_baseline_has_a_family_of_its_own(field):
    found = compare(field({"nmc": NMC, "teen": TEEN, "icarl": ICARL}), "A_all", "icarl")
    assert (found.reference, found.chosen) == ("icarl", True)
    raw = [raw_p(TEEN, ICARL), raw_p(NMC, ICARL)]
    teen, nmc, icarl = found.rows
    assert [teen.against.p, nmc.against.p] == pytest.approx(holm(raw))
    assert icarl.against is None


def test_the_winner_beats_every_other_significantly(field):
    clear = compare(field({"nmc": NMC, "teen": TEEN}), "A_all")
    close = compare(field({"nmc": NMC, "teen": TEEN, "icarl": {**TEEN, 2: 0.58}}), "A_all")
    assert (clear.winner, close.winner) == ("teen", None)


@pytest.mark.parametrize("metric", ["A_all", "forgetting"])
def test_a_strategy_that_loses_on_equal_seeds_does_not_win_by_others(field, metric):
    sign = 1 if metric == "A_all" else -1
    lucky = {seed: 0.5 + sign * 0.4 * (seed > 2) + 0.001 * seed for seed in range(10)}
    rival = {0: 0.5 + sign * 0.1, 1: 0.5012 + sign * 0.1, 2: 0.502 + sign * 0.1}
    found = compare(field({"lucky": lucky, "rival": rival}, metric), metric)
    assert (found.reference, found.pairs[0].significant, found.winner) == ("lucky", True, None)


def test_values_that_are_no_numbers_are_missing(field):
    (row,) = compare(field({"teen": {0: 0.5, 1: math.nan, 2: 0.7, 3: math.inf}}), "A_all").rows
    assert row.by_seed == {0: 0.5, 2: 0.7}


def test_nobody_wins_with_fewer_than_three_seeds(field):
    two = {"nmc": {0: 0.1, 1: 0.101}, "teen": {0: 0.9, 1: 0.9}}
    found = compare(field(two), "A_all")
    assert found.pairs[0].p < 0.05
    assert (found.pairs[0].significant, found.winner) == (False, None)


def test_a_difference_that_no_seed_changes_is_not_tested(field):
    same = {"nmc": {0: 0.1, 1: 0.2, 2: 0.3}, "teen": {0: 0.6, 1: 0.7, 2: 0.8}}
    found = compare(field(same), "A_all")
    assert (math.isnan(found.pairs[0].p), found.pairs[0].constant, found.winner) == (
        True,
        True,
        None,
    )


def test_nobody_wins_where_neither_more_nor_less_is_better(field):
    found = compare(field({"nmc": NMC, "teen": TEEN}, "clusters"), "clusters")
    assert (found.pairs[0].significant, found.winner) == (True, None)


def test_only_equal_seeds_are_paired(field):
    found = compare(field({"teen": TEEN, "nmc": {1: 0.58, 3: 0.59, 7: 0.1}}), "A_all")
    assert (found.pairs[0].difference.n, found.pairs[0].difference.mean) == (2, pytest.approx(0.04))


def test_without_a_shared_seed_there_is_no_difference(field):
    found = compare(field({"teen": {0: 0.6}, "nmc": {1: 0.5}}), "A_all")
    assert found.pairs[0].difference is None
    assert math.isnan(found.pairs[0].p)


def test_the_share_of_the_gap_lies_between_finetune_and_joint(field):
    found = compare(field({"finetune": FINETUNE, "teen": TEEN, "joint": JOINT}), "A_all")
    # means 0.22, 0.615, 0.805
    assert {row.label: row.gap_closed for row in found.rows} == pytest.approx(
        {"joint": 1.0, "teen": 0.395 / 0.585, "finetune": 0.0}
    )


def test_the_gap_is_taken_over_seeds_that_all_three_have(field):
    found = compare(field({"finetune": {0: 0.2}, "teen": TEEN, "joint": JOINT}), "A_all")
    assert [row.gap_closed for row in found.rows] == pytest.approx([1.0, 0.4 / 0.6, 0.0])


def test_labels_may_stand_for_finetune_and_joint(field):
    names = {"lower": "finetune", "upper": "joint"}
    found = compare(field({"lower": FINETUNE, "nmc": NMC, "upper": JOINT}, names=names), "A_all")
    assert (found.floor, found.ceiling, found.reference) == ("lower", "upper", "nmc")


def test_joint_is_a_bound_and_competes_with_nobody(field):
    found = compare(field({"finetune": FINETUNE, "teen": TEEN, "joint": JOINT}), "A_all")
    assert (found.rows[0].label, found.reference, found.winner) == ("joint", "teen", "teen")
    assert found.rows[0].against is None


def test_joint_may_be_the_baseline(field):
    found = compare(field({"teen": TEEN, "joint": JOINT}), "A_all", "joint")
    assert [row.against and row.against.first for row in found.rows] == [None, "teen"]


def test_a_ceiling_that_is_no_better_leaves_no_gap(field):
    found = compare(field({"finetune": JOINT, "joint": FINETUNE}), "A_all")
    assert [row.gap_closed for row in found.rows] == [None, None]


def test_costs_are_means_over_seeds(field):
    (row,) = compare(field({"teen": TEEN}), "A_all").rows
    # train 60 + 30 + 20 and evaluate 3 * 1.5; prototypes 256 * 4 and exemplars 1000
    assert (row.seconds, row.bytes_kept) == (114.5, 2024)


def test_strategies_without_the_metric_are_named(finals):
    mixed = [*finals({"teen": TEEN}, "M_d"), *finals({"nmc": NMC})]
    found = compare(entrants([Group("a", mixed, {})]), "M_d")
    assert ([row.label for row in found.rows], found.missing) == (["teen"], ("nmc",))


def test_a_metric_that_nobody_has_is_refused_with_the_nearest_name(field):
    with pytest.raises(RunFolderError) as caught:
        compare(field({"teen": TEEN}), "A_al")
    assert str(caught.value) == "--metric A_al: no run has such a metric; did you mean 'A_all'?"


def test_a_baseline_that_was_not_run_is_refused_with_the_nearest_name(field):
    with pytest.raises(RunFolderError) as caught:
        compare(field({"teen": TEEN, "nmc": NMC}), "A_all", "ten")
    assert str(caught.value) == "--baseline ten: no such strategy was run; did you mean 'teen'?"
