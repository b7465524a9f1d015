from __future__ import annotations

import json
import math

import pytest

from cilsim.errors import CheckpointError
from cilsim.metrics.statistics import Interval, mean_interval
from cilsim.results.run_folder import RunFolder
from cilsim.results.summary import StrategyFigures, Summary, read_summary, write_summary


@pytest.fixture
def folder(tmp_path):
    return RunFolder(tmp_path)


@pytest.fixture
def results(result):
    return [
        result("teen", 1, A_all=0.6, forgetting=0.1),
        result("teen", 0, A_all=0.5, forgetting=0.2),
        result("nmc", 0, A_all=0.25),
    ]


def test_the_file_holds_every_seed_and_the_mean_with_its_interval(folder, results):
    write_summary(folder, results)
    all_, forgetting = mean_interval([0.6, 0.5]), mean_interval([0.1, 0.2])
    assert json.loads((folder.path / "summary.json").read_text()) == {
        "scenario": "ring",
        "strategies": {
            "teen": {
                "seeds": {
                    "0": {"A_all": 0.5, "forgetting": 0.2},
                    "1": {"A_all": 0.6, "forgetting": 0.1},
                },
                "over_seeds": {
                    "A_all": vars(all_),
                    "forgetting": vars(forgetting),
                },
            },
            "nmc": {
                "seeds": {"0": {"A_all": 0.25}},
                "over_seeds": {"A_all": {"mean": 0.25, "lower": None, "upper": None, "n": 1}},
            },
        },
    }


def test_what_was_written_comes_back(folder, results):
    written = write_summary(folder, results[:2])
    assert written == Summary(
        "ring",
        (
            StrategyFigures(
                "teen",
                {0: {"A_all": 0.5, "forgetting": 0.2}, 1: {"A_all": 0.6, "forgetting": 0.1}},
                {
                    "A_all": mean_interval([0.6, 0.5]),
                    "forgetting": mean_interval([0.1, 0.2]),
                },
            ),
        ),
    )
    assert read_summary(folder) == written


def test_limits_that_do_not_exist_come_back_as_nan(folder, results):
    write_summary(folder, results[2:])
    [figures] = read_summary(folder).strategies
    interval = figures.over_seeds["A_all"]
    assert (interval.mean, interval.n) == (0.25, 1)
    assert math.isnan(interval.lower)
    assert math.isnan(interval.upper)


def test_only_metrics_that_all_seeds_have_are_averaged(folder, result):
    results = [result("teen", 0, A_all=0.5, extra=1.0), result("teen", 1, A_all=0.5)]
    [figures] = write_summary(folder, results).strategies
    assert figures.over_seeds == {"A_all": Interval(0.5, 0.5, 0.5, 2)}


def test_strategies_keep_the_order_of_the_scenario(folder, results):
    write_summary(folder, results)
    assert [figures.strategy for figures in read_summary(folder).strategies] == ["teen", "nmc"]


def test_there_is_no_summary_before_the_first(folder):
    assert read_summary(folder) is None


def test_no_results_are_refused(folder):
    with pytest.raises(ValueError, match=r"^no results; expected at least one finished run$"):
        write_summary(folder, [])


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        '{"scenario": "a", "strategies": {"b": {}}}',
        '{"scenario": "a", "strategies": {"b": {"seeds": {"0": 1}, "over_seeds": {}}}}',
    ],
)
def test_a_damaged_summary_is_named(folder, text):
    folder.files.write("summary.json", text.encode())
    with pytest.raises(CheckpointError) as caught:
        read_summary(folder)
    assert str(caught.value) == (f"{folder.path}/summary.json: is damaged: it is not a summary")
