import json

import numpy as np

from cilsim.records import ExperienceInfo, StreamInfo
from cilsim.report.html import report_html
from cilsim.report.page_data import MOST_CONFUSED, confusion_cells, embedded, mean_matrix, page_data
from cilsim.report.summary import summarise

NAN = np.nan


def data_of(results):
    return page_data(results, summarise(results))


def test_curves_are_means_over_seeds(make_result):
    mean = mean_matrix([make_result(seed=0), make_result(seed=1, shift=0.1)])
    expected = [[0.95, NAN, NAN], [0.85, 0.75, NAN], [0.55, 0.65, 0.7]]
    np.testing.assert_allclose(mean, expected)


def test_matrices_hold_what_was_measured(make_result):
    (strategy,) = data_of([make_result()])["strategies"]
    assert strategy["matrix"] == [[0.9], [0.8, 0.7], [0.5, 0.6, 0.65]]


def test_series_have_limits_from_two_seeds_on(make_result):
    (one,) = data_of([make_result()])["strategies"]
    (two,) = data_of([make_result(seed=0), make_result(seed=1, shift=0.002)])["strategies"]
    assert one["series"]["A_novel"] == [[None, 0.7, 0.625]]
    # mean ± 12.7062 * 0.001
    assert two["series"]["A_novel"] == [
        [None, 0.701, 0.626], [None, 0.68829, 0.61329], [None, 0.71371, 0.63871]
    ]  # fmt: skip


def test_the_columns_of_the_tables_come_first(make_result):
    names = [metric["name"] for metric in data_of([make_result()])["metrics"]]
    assert names == ["A_all", "A_base", "A_novel", "A_hm", "forgetting", "A_avg_inc"]


def test_confusion_lists_counts_that_are_not_zero(stream):
    counts = np.array([[9, 1, 0, 0], [0, 10, 0, 0], [0, 0, 5, 0], [0, 3, 0, 2]])
    assert confusion_cells(counts, stream) == {
        "classes": 4,
        "each": 1,
        "borders": [2, 3],
        "cells": [0, 0, 9, 0, 1, 1, 1, 1, 10, 2, 2, 5, 3, 1, 3, 3, 3, 2],
    }


def test_consecutive_classes_share_a_cell_where_too_many_are_confused():
    classes, each = 120, 40
    stream = StreamInfo(
        "class_incremental", "many", "B40-Inc40",
        tuple(ExperienceInfo(i, f"e{i}", tuple(range(each * i, each * (i + 1))), each * (i + 1),
                             1, 0, 1) for i in range(3)),
        tuple(range(classes)), tuple(map(str, range(classes))), ("base", "novel"), "0",
    )  # fmt: skip
    counts = np.ones((classes, classes), dtype=np.int64)
    assert counts.size > MOST_CONFUSED
    cells = [number for i in range(60) for j in range(60) for number in (i, j, 4)]
    assert confusion_cells(counts, stream) == {
        "classes": 120, "each": 2, "borders": [40, 80], "cells": cells
    }  # fmt: skip


def test_embedded_json_cannot_end_its_element():
    text = embedded({"a": "</script><!--&"})
    assert (set("<>&") & set(text), json.loads(text)) == (set(), {"a": "</script><!--&"})


def test_a_report_of_twelve_strategies_over_200_experiences_has_a_bounded_size(long_results):
    page = report_html(long_results(12, 200), "long")
    assert 1_000_000 < len(page.encode()) < 6_000_000
