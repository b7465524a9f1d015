from __future__ import annotations

import numpy as np
import pytest

from cilsim.metrics.outliers import outlier_detection


def test_outlier_detection_by_hand() -> None:
    known, outliers = np.array([0.1, 0.2, 0.6]), np.array([0.5, 0.9])
    found = outlier_detection(known, outliers)
    # of the 6 pairs one is in the wrong order; both outliers are found once one known is
    assert found.auroc == pytest.approx(5 / 6)
    assert found.aupr == pytest.approx((1 + 2 / 3) / 2)
    assert found.fpr95 == pytest.approx(1 / 3)
    other_way = outlier_detection(known, outliers, outliers_positive=False)
    assert other_way == pytest.approx((5 / 6, 11 / 12, 1 / 2))


def test_scores_that_say_nothing_find_95_percent_at_95_percent_of_false_ones() -> None:
    scores = np.arange(20.0)
    assert outlier_detection(scores, scores).fpr95 == pytest.approx(0.95)
