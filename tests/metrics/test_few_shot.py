from __future__ import annotations

import numpy as np
import pytest

from cilsim.metrics.accuracy import accuracy, confusion
from cilsim.metrics.few_shot import (
    base_and_novel_accuracy,
    base_to_novel_rate,
    harmonic_mean,
    novel_to_base_rate,
)
from cilsim.metrics.forgetting import performance_drop

LABEL = np.array([0, 0, 1, 1, 2, 2, 3, 3])
PREDICTED = np.array([0, 2, 1, 1, 2, 0, 1, -1])
BASE = (0, 1)


def test_harmonic_mean_is_below_both_means():
    assert harmonic_mean(0.8, 0.2) == pytest.approx(0.32)


def test_harmonic_mean_of_zeros_is_zero():
    assert harmonic_mean(0.0, 0.0) == 0.0


def test_base_and_novel_accuracy_are_mean_recalls_among_all_classes():
    assert base_and_novel_accuracy(LABEL, PREDICTED, BASE) == (0.75, 0.25)


def test_novel_accuracy_without_novel_samples_is_nan():
    base, novel = base_and_novel_accuracy(LABEL[:4], PREDICTED[:4], BASE)
    assert base == 0.75
    assert np.isnan(novel)


def test_novel_to_base_rate_is_the_share_of_novel_samples_called_base():
    assert novel_to_base_rate(LABEL, PREDICTED, BASE) == 2 / 4


def test_base_to_novel_rate_is_the_share_of_base_samples_called_novel():
    assert base_to_novel_rate(LABEL, PREDICTED, BASE) == 1 / 4


def test_a_prediction_of_no_class_is_neither_base_nor_novel():
    label, unmatched = np.array([0, 2]), np.array([-1, -1])
    assert base_to_novel_rate(label, unmatched, BASE) == 0.0
    assert novel_to_base_rate(label, unmatched, BASE) == 0.0


def test_rates_without_samples_are_nan():
    assert np.isnan(novel_to_base_rate(LABEL[:4], PREDICTED[:4], BASE))
    assert np.isnan(base_to_novel_rate(LABEL[4:], PREDICTED[4:], BASE))


@pytest.fixture
def sessions(golden):
    """True and predicted labels of each session of the TEEN reference run."""
    data = golden("teen_metrics")
    base, way = int(data["base_class"]), int(data["way"])
    pairs = []
    for session in range(int(data["sessions"])):
        seen = base + session * way
        labels = data["labels"].astype(np.int64)
        inside = labels < seen
        predicted = data["logits"][inside][:, :seen].argmax(1)
        pairs.append((labels[inside], predicted))
    return data, pairs


def test_accuracy_and_confusion_equal_those_of_teen(sessions):
    data, pairs = sessions
    for session, (label, predicted) in enumerate(pairs):
        counts = confusion(label, predicted, int(label.max()) + 1)
        shares = counts / counts.sum(1, keepdims=True)
        np.testing.assert_allclose(shares, data[f"confusion_rownorm_s{session}"], rtol=1e-12)
        assert accuracy(label, predicted) == pytest.approx(data["acc_micro"][session], abs=1e-12)


def test_base_and_novel_accuracy_equal_those_of_teen(sessions):
    data, pairs = sessions
    base = range(int(data["base_class"]))
    for session, (label, predicted) in enumerate(pairs[1:]):
        seen, unseen = base_and_novel_accuracy(label, predicted, base)
        assert seen == pytest.approx(data["seen_acc"][session], abs=1e-12)
        assert unseen == pytest.approx(data["unseen_acc"][session], abs=1e-12)


def test_harmonic_mean_equals_that_of_teen_to_its_rounding(sessions):
    data, pairs = sessions
    base = range(int(data["base_class"]))
    means = [harmonic_mean(*base_and_novel_accuracy(*pair, base)) for pair in pairs[1:]]
    np.testing.assert_allclose(np.multiply(means, 100), data["hmean_official"], atol=1.1e-3)


def test_rates_equal_those_of_teen(sessions):
    data, pairs = sessions
    base = range(int(data["base_class"]))
    to_base = [novel_to_base_rate(*pair, base) for pair in pairs[1:]]
    to_novel = [base_to_novel_rate(*pair, base) for pair in pairs[1:]]
    np.testing.assert_allclose(to_base, data["new_to_base_rate"], rtol=1e-12)
    np.testing.assert_allclose(to_novel, data["base_to_new_rate"], rtol=1e-12)


def test_performance_drop_equals_that_of_teen_on_its_own_accuracies(golden):
    data = golden("teen_metrics")
    drop = performance_drop(data["acc_official"].tolist())
    assert 100 * drop == pytest.approx(float(data["performance_drop"]), abs=1e-9)
