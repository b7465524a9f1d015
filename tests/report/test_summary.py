import math
from dataclasses import replace

import pytest

from cilsim.report.summary import columns, summarise


def test_strategies_keep_the_order_in_which_they_appear(make_result):
    results = [make_result("nmc", 0), make_result("teen", 0), make_result("nmc", 1)]
    assert [(s.strategy, s.seeds) for s in summarise(results)] == [("nmc", (0, 1)), ("teen", (0,))]


def test_values_are_means_with_t_intervals_over_seeds(make_result):
    (summary,) = summarise([make_result(seed=0), make_result(seed=1, shift=0.02)])
    interval = summary.last.values["A_all"]
    # t(0.975, 1) = 12.706; the standard error of {0.56, 0.58} is 0.01
    assert (interval.mean, interval.n) == (pytest.approx(0.57), 2)
    assert interval.upper - interval.mean == pytest.approx(0.12706, abs=1e-5)


def test_a_single_seed_has_no_interval(make_result):
    (summary,) = summarise([make_result()])
    assert math.isnan(summary.last.values["A_all"].lower)


def test_cost_is_the_mean_over_seeds_of_all_kinds(make_result):
    (summary,) = summarise([make_result(seed=0), make_result(seed=1)])
    assert [row.bytes_kept for row in summary.rows] == [1512, 1768, 2024]
    assert [row.seconds for row in summary.rows] == [61.5, 31.5, 21.5]


def test_a_metric_without_meaning_at_an_experience_is_absent(make_result):
    (summary,) = summarise([make_result()])
    assert "A_novel" not in summary.rows[0].values


def test_no_results_give_no_summaries():
    assert summarise([]) == ()


def test_columns_are_headed_as_the_field_calls_its_groups(stream, discovery_stream):
    pairs = [[(column.heading, column.metric) for column in columns(s)[1:3]]
             for s in (stream, discovery_stream)]  # fmt: skip
    assert pairs == [
        [("base", "A_base"), ("novel", "A_novel")],
        [("old", "A_old"), ("new", "A_new")],
    ]


def test_a_stream_whose_classes_come_again_is_summarised_over_all_classes(domain_stream):
    shown = [(column.heading, column.metric) for column in columns(domain_stream)]
    assert shown == [("all", "A_all"), ("average", "A_avg_inc"), ("forgetting", "forgetting")]


def test_with_one_test_set_for_all_experiences_no_forgetting_is_shown(domain_stream):
    first, second = domain_stream.experiences
    fixed = replace(domain_stream, experiences=(first, replace(second, test=0)))
    assert [column.metric for column in columns(fixed)] == ["A_all", "A_avg_inc"]
