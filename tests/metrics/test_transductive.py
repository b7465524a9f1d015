from __future__ import annotations

import numpy as np
import pytest

from cilsim.metrics.transductive import transductive_values
from cilsim.records import ExperienceInfo, Predictions, StreamInfo


@pytest.fixture
def stream() -> StreamInfo:
    """One experience with two old and two novel classes."""
    experience = ExperienceInfo(0, "discovery", (0, 1, 2, 3), 4, 4, 8, 4, novel_classes=2)
    return StreamInfo(
        kind="generalized_category_discovery",
        dataset="toy",
        protocol="2 old (0.5 labelled) + 2 new",
        experiences=(experience,),
        class_ids=(0, 1, 2, 3),
        class_names=("a", "b", "c", "d"),
        groups=("old", "new"),
        digest="0",
    )


def predictions(label: list[int], clusters: list[int]) -> Predictions:
    return Predictions(0, np.arange(len(label)), np.array(label), np.array(clusters))


def test_old_and_new_by_hand_after_one_matching(stream: StreamInfo) -> None:
    # clusters 7, 5, 2 are classes 0, 1, 2; nobody found class 3
    found = transductive_values(
        predictions([0, 0, 1, 1, 2, 2, 3, 3], [7, 7, 5, 2, 2, 2, 2, 2]), stream
    )
    assert found["transductive/A_all"] == pytest.approx(5 / 8)
    assert found["transductive/A_old"] == pytest.approx(3 / 4)
    assert found["transductive/A_new"] == pytest.approx(2 / 4)
    assert set(found) == {
        f"transductive/{name}" for name in ("A_all", "A_old", "A_new", "nmi", "ari")
    }


def test_without_old_samples_there_is_no_old_accuracy(stream: StreamInfo) -> None:
    found = transductive_values(predictions([2, 2, 3], [0, 0, 1]), stream)
    assert "transductive/A_old" not in found
    assert found["transductive/A_new"] == 1.0


def test_renaming_clusters_changes_nothing(stream: StreamInfo) -> None:
    label, clusters = [0, 0, 1, 1, 2, 2, 3, 3], [7, 7, 5, 2, 2, 2, 2, 2]
    renamed = [{7: 0, 5: 9, 2: 4}[cluster] for cluster in clusters]
    assert transductive_values(predictions(label, clusters), stream) == transductive_values(
        predictions(label, renamed), stream
    )
