from __future__ import annotations

import re
import subprocess
import sys

import numpy as np
import pytest

from cilsim.metrics.evaluate import evaluate_predictions, recompute
from cilsim.metrics.named import named_predictions
from cilsim.metrics.names import METRICS, describe


@pytest.fixture
def labelled(stream, predictions):
    """Two base classes, then two experiences of one class, two samples of each class."""
    history = [
        predictions(0, [0, 0, 1, 1], [0, 0, 1, 0]),
        predictions(1, [0, 0, 1, 1, 2, 2], [0, 0, 1, 1, 2, 0]),
        predictions(2, [0, 0, 1, 1, 2, 2, 3, 3], [0, 3, 1, 2, 0, 1, 3, 3]),
    ]
    return history, stream((2, 1, 1), tests=(4, 2, 2))


def test_values_after_the_last_experience(labelled):
    found = evaluate_predictions(*labelled)
    assert found.experience == 2
    assert found.values == pytest.approx(
        {
            "A_all": 4 / 8,
            "A_base": 2 / 4,
            "A_novel": (0 + 1) / 2,
            "A_hm": 0.5,
            "A_old": 2 / 6,
            "A_new": 1.0,
            "A_avg_inc": (3 / 4 + 5 / 6 + 4 / 8) / 3,
            "A_avg_inc_by_experience": (3 / 4 + (1 + 1 / 2) / 2 + (1 / 2 + 0 + 1) / 3) / 3,
            "forgetting": ((1 - 1 / 2) + (1 / 2 - 0)) / 2,
            "bwt": ((1 / 2 - 3 / 4) + (0 - 1 / 2)) / 2,
            "performance_drop": 3 / 4 - 4 / 8,
            "novel_to_base_rate": 2 / 4,
            "base_to_novel_rate": 2 / 4,
            "accuracy_by_experience/00": 1 / 2,
            "accuracy_by_experience/01": 0.0,
            "accuracy_by_experience/02": 1.0,
            "forgetting_by_experience/00": 1 / 2,
            "forgetting_by_experience/01": 1 / 2,
        }
    )


def test_what_has_no_meaning_after_the_base_is_absent(labelled):
    history, stream = labelled
    found = evaluate_predictions(history[:1], stream)
    assert found.values == pytest.approx(
        {
            "A_all": 3 / 4,
            "A_base": 3 / 4,
            "A_new": 3 / 4,
            "A_avg_inc": 3 / 4,
            "A_avg_inc_by_experience": 3 / 4,
            "accuracy_by_experience/00": 3 / 4,
        }
    )


def test_accuracy_matrix_has_a_row_per_experience_so_far(labelled):
    history, stream = labelled
    nan = np.nan
    found = evaluate_predictions(history[:2], stream)
    expected = [[3 / 4, nan, nan], [1.0, 1 / 2, nan], [nan, nan, nan]]
    np.testing.assert_array_equal(found.accuracy_matrix, expected)
    assert found.accuracies == (3 / 4, 5 / 6)


def test_confusion_covers_the_classes_seen(labelled):
    history, stream = labelled
    found = evaluate_predictions(history[:2], stream)
    np.testing.assert_array_equal(found.confusion, [[2, 0, 0], [0, 2, 0], [1, 0, 1]])


def test_values_are_plain_floats(labelled):
    assert {type(value) for value in evaluate_predictions(*labelled).values.values()} == {float}


def test_recompute_gives_every_experience_what_it_had(labelled):
    history, stream = labelled
    results = recompute(history, stream)
    assert [result.experience for result in results] == [0, 1, 2]
    for end, result in enumerate(results, start=1):
        alone = evaluate_predictions(history[:end], stream)
        assert result.values == alone.values
        np.testing.assert_array_equal(result.accuracy_matrix, alone.accuracy_matrix)


def test_a_previous_result_is_left_as_it_was(labelled):
    history, stream = labelled
    previous = evaluate_predictions(history[:2], stream)
    before = previous.accuracy_matrix.copy()
    evaluate_predictions(history, stream, previous=previous)
    np.testing.assert_array_equal(previous.accuracy_matrix, before)


@pytest.fixture
def discovery(stream, predictions):
    """Two labelled classes, then two novel ones; predictions of stage 1 are cluster ids."""
    history = [
        predictions(0, [0, 0, 1, 1], [0, 0, 1, 0]),
        predictions(1, [0, 0, 1, 1, 2, 2, 3, 3, 3], [40, 40, 12, 12, 12, 7, 9, 9, 3]),
    ]
    return history, stream((2, 2), tests=(4, 5), unlabelled=(0, 5))


def test_clusters_are_matched_once_over_all_samples(discovery):
    found = evaluate_predictions(*discovery).values
    assert found["A_all"] == 7 / 9
    assert found["A_old"] == 1.0
    assert found["A_new"] == pytest.approx((1 + 2) / 5)
    assert found["A_novel"] == pytest.approx((1 / 2 + 2 / 3) / 2)
    assert found["clusters"] == 5.0
    assert found["novel_to_base_rate"] == 1 / 5
    assert found["forgetting"] == 3 / 4 - 1.0


def test_samples_of_a_cluster_without_a_class_are_in_no_cell_of_the_confusion(discovery):
    found = evaluate_predictions(*discovery)
    expected = [[2, 0, 0, 0], [0, 2, 0, 0], [0, 1, 1, 0], [0, 0, 0, 2]]
    np.testing.assert_array_equal(found.confusion, expected)


def test_nmi_and_ari_are_those_of_the_clusters(discovery):
    from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score

    history, stream = discovery
    found = evaluate_predictions(history, stream).values
    pair = history[1].label, history[1].predicted
    assert found["nmi"] == pytest.approx(normalized_mutual_info_score(*pair))
    assert found["ari"] == pytest.approx(adjusted_rand_score(*pair))


def test_stages_after_labels_have_the_summary_of_happy(discovery):
    history, stream = discovery
    found = evaluate_predictions(history, stream).values
    assert found["M_f"] == 3 / 4 - 1.0
    assert found["M_d"] == found["A_new"] == pytest.approx(3 / 5)
    assert found["purity"] == pytest.approx((2 + 2 + 1 + 2 + 1) / 9)
    before = evaluate_predictions(history[:1], stream).values
    assert {"M_f", "M_d", "purity"}.isdisjoint(before)


def test_a_course_with_labels_in_between_has_no_summary_of_happy(stream, predictions):
    history = [predictions(0, [0], [0]), predictions(1, [0, 1], [0, 1])]
    history.append(predictions(2, [0, 1, 2], [0, 1, 2]))
    mixed = stream((1, 1, 1), tests=(1, 1, 1), unlabelled=(0, 0, 5))
    assert {"M_f", "M_d"}.isdisjoint(evaluate_predictions(history, mixed).values)


def test_labels_before_the_first_unlabelled_experience_are_not_matched(discovery):
    history, stream = discovery
    found = evaluate_predictions(history[:1], stream)
    assert found.values["A_all"] == 3 / 4
    assert "clusters" not in found.values
    np.testing.assert_array_equal(named_predictions(history[0], stream), [0, 0, 1, 0])


def test_renaming_the_clusters_of_a_stage_changes_no_value(discovery, predictions):
    history, stream = discovery
    names = {40: 0, 12: 99, 7: 5, 9: 1, 3: 2}
    renamed = [names[cluster] for cluster in history[1].predicted.tolist()]
    other = [history[0], predictions(1, history[1].label.tolist(), renamed)]
    assert evaluate_predictions(other, stream).values == evaluate_predictions(*discovery).values


@pytest.mark.parametrize(
    ("chosen", "found"), [([], "[]"), ([1], "[1]"), ([0, 2], "[0, 2]")], ids=str
)
def test_history_must_start_at_0_without_gaps(labelled, chosen, found):
    history, stream = labelled
    message = (
        f"history holds predictions after experiences {found}; expected 0, 1, ... in order, of 3"
    )
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        evaluate_predictions([history[index] for index in chosen], stream)


def test_every_value_is_described(labelled, discovery):
    values = {**evaluate_predictions(*labelled).values, **evaluate_predictions(*discovery).values}
    assert {name for name in values if describe(name) is None} == set()
    families = {name.partition("/")[0] for name in values}
    by_the_run = {"intransigence", "transductive", "classes_found", "classes_error"}
    similarity = {"representation_similarity", "representation_similarity_by_experience"}
    assert set(METRICS) - families == by_the_run | similarity


def test_descriptions_are_one_line_each():
    for metric in METRICS.values():
        for text in (metric.title, metric.definition, metric.source):
            assert text.strip() == text != ""
            assert "\n" not in text


def test_metrics_import_no_torch():
    command = (
        "import sys, cilsim.metrics.evaluate, cilsim.metrics.metric_sets, cilsim.metrics.names, "
        "cilsim.metrics.statistics; print('torch' in sys.modules, 'scipy' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", command], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("False False\n", "")


@pytest.fixture
def domains(stream, predictions):
    """Two classes that come again in two more domains; test parts of 2, 3 and 1 samples."""
    history = [
        predictions(0, [0, 1], [0, 1]),
        predictions(1, [0, 1, 0, 0, 1], [0, 0, 0, 1, 1]),
        predictions(2, [0, 1, 0, 0, 1, 1], [0, 1, 1, 1, 1, 1]),
    ]
    return history, stream((2, 0, 0), tests=(2, 3, 1))


def test_the_accuracy_matrix_goes_by_test_part_where_classes_come_again(domains):
    nan = np.nan
    found = evaluate_predictions(*domains)
    expected = [[1.0, nan, nan], [1 / 2, 2 / 3, nan], [1.0, 1 / 3, 1.0]]
    np.testing.assert_array_equal(found.accuracy_matrix, expected)


def test_values_of_classes_that_come_again_know_no_old_or_novel_classes(domains):
    found = evaluate_predictions(*domains)
    assert found.values == pytest.approx(
        {
            "A_all": 4 / 6,
            "A_avg_inc": (1 + 3 / 5 + 4 / 6) / 3,
            "A_avg_inc_by_experience": (1 + (1 / 2 + 2 / 3) / 2 + (1 + 1 / 3 + 1) / 3) / 3,
            "forgetting": (0 + 1 / 3) / 2,
            "bwt": (0 - 1 / 3) / 2,
            "performance_drop": 1 - 4 / 6,
            "accuracy_by_experience/00": 1.0,
            "accuracy_by_experience/01": 1 / 3,
            "accuracy_by_experience/02": 1.0,
            "forgetting_by_experience/00": 0.0,
            "forgetting_by_experience/01": 1 / 3,
        }
    )


def test_after_the_base_of_classes_that_come_again_there_is_no_base_accuracy(domains):
    history, stream = domains
    found = evaluate_predictions(history[:1], stream)
    expected = ("A_all", "A_avg_inc", "A_avg_inc_by_experience", "accuracy_by_experience/00")
    assert found.values == dict.fromkeys(expected, 1.0)


def test_a_test_set_that_is_the_same_after_every_experience_tells_no_experiences_apart(
    stream, predictions
):
    history = [
        predictions(0, [0, 1, 0, 1], [0, 0, 0, 0]),
        predictions(1, [0, 1, 0, 1], [0, 1, 0, 0]),
        predictions(2, [0, 1, 0, 1], [0, 1, 0, 1]),
    ]
    found = evaluate_predictions(history, stream((2, 0, 0), tests=(4, 0, 0)))
    assert found.values == pytest.approx(
        {
            "A_all": 1.0,
            "A_avg_inc": (1 / 2 + 3 / 4 + 1) / 3,
            "performance_drop": -1 / 2,
            "accuracy_by_experience/00": 1.0,
        }
    )
    expected = np.full((3, 3), np.nan)
    expected[:, 0] = [1 / 2, 3 / 4, 1.0]
    np.testing.assert_array_equal(found.accuracy_matrix, expected)


def test_predictions_that_are_not_those_of_the_test_parts_are_refused(labelled, predictions):
    history, stream = labelled
    short = [*history[:2], predictions(2, [0, 0, 1], [0, 0, 1])]
    message = "3 predictions after experience 2; expected 8, the test samples of experiences 0 to 2"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        evaluate_predictions(short, stream)
