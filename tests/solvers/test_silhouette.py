from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from cilsim.solvers import chunking
from cilsim.solvers.silhouette import silhouette

LINE = torch.tensor([[0.0], [1.0], [4.0], [6.0]])


def test_silhouette_on_a_line_worked_by_hand():
    # a = 1, 1, 2, 2 and b = 5, 4, 3.5, 5.5
    expected = (4 / 5 + 3 / 4 + 1.5 / 3.5 + 3.5 / 5.5) / 4
    assert silhouette(LINE, torch.tensor([7, 7, 2, 2])) == pytest.approx(expected)


def test_a_point_alone_in_its_cluster_counts_nothing():
    expected = (4 / 5 + 3 / 4 + 0 + 0) / 4
    found = silhouette(LINE, torch.tensor([0, 0, 1, 2]))
    assert found == pytest.approx((3 / 4 + 2 / 3 + 0 + 0) / 4)
    assert found < expected


def test_points_that_coincide_count_nothing():
    assert silhouette(torch.ones(4, 2), torch.tensor([0, 0, 1, 1])) == 0.0


def test_one_cluster_has_no_silhouette():
    with pytest.raises(ValueError, match=r"^1 clusters; a silhouette needs at least 2$"):
        silhouette(LINE, torch.zeros(4, dtype=torch.int64))


def test_small_memory_changes_nothing(monkeypatch):
    generator = torch.Generator().manual_seed(0)
    points = torch.randn(50, 3, generator=generator)
    labels = torch.randint(4, (50,), generator=generator)
    expected = silhouette(points, labels)
    monkeypatch.setattr(chunking, "CPU_BYTES", 800)
    assert silhouette(points, labels) == pytest.approx(expected, rel=1e-6)


@given(st.integers(0, 1000), st.integers(2, 6))
@settings(deadline=None, max_examples=30)
def test_silhouette_equals_that_of_scikit_learn(seed, clusters):
    from sklearn.metrics import silhouette_score

    generator = torch.Generator().manual_seed(seed)
    points = torch.randn(40, 3, generator=generator)
    labels = torch.cat(
        [torch.arange(clusters), torch.randint(clusters, (40 - clusters,), generator=generator)]
    )
    expected = silhouette_score(points.numpy(), labels.numpy())
    assert silhouette(points, labels) == pytest.approx(float(expected), abs=1e-5)
