from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from cilsim.prototypes.means import class_means
from cilsim_fetril.pseudo_features import (
    borrowed_rows,
    nearest_new,
    normalised_by_the_script,
    random_rows,
    translate,
)


@pytest.fixture(scope="module")
def released(golden):
    with np.load(golden / "fetril_pipeline_d24.npz", allow_pickle=False) as archive:
        return dict(archive)


@pytest.fixture(scope="module")
def pycil(golden):
    with np.load(golden / "fetril_pycil_cosine.npz", allow_pickle=False) as archive:
        return dict(archive)


def state(arrays, old, seen):
    """Features and labels (from 0) of the new classes, and the means of all classes, float64."""
    features_CRD = torch.from_numpy(arrays["train_features"]).double()
    new_CRD = features_CRD[old:seen]
    labels_M = torch.arange(seen - old).repeat_interleave(new_CRD.shape[1])
    return new_CRD.flatten(0, 1), labels_M, features_CRD[:seen].mean(1)


class TestReleasedCode:
    @pytest.mark.parametrize(("t", "seen"), [(1, 12), (2, 14), (3, 16)])
    def test_sources_are_equal(self, released, t, seen):
        means = torch.from_numpy(released[f"s{t}_means"])
        found = nearest_new(means, 2, measure="euclidean") + seen - 2
        np.testing.assert_array_equal(found, released[f"s{t}_source"])

    @pytest.mark.parametrize(("t", "seen"), [(1, 12), (2, 14), (3, 16)])
    def test_cosine_sources_are_equal(self, released, t, seen):
        means = torch.from_numpy(released[f"s{t}_means"])
        found = nearest_new(means, 2, measure="cosine") + seen - 2
        np.testing.assert_array_equal(found, released[f"s{t}_source_cosine"])

    def test_base_classes_are_their_own_sources(self, released):
        means = torch.from_numpy(released["s0_means"])
        np.testing.assert_array_equal(
            nearest_new(means, 10, measure="euclidean"), released["s0_source"]
        )

    @pytest.mark.parametrize(("t", "seen"), [(1, 12), (3, 16)])
    def test_pseudo_features_are_equal(self, released, t, seen):
        features, labels, means = state(released, seen - 2, seen)
        rows = borrowed_rows(labels, nearest_new(means, 2, measure="euclidean"))
        made = translate(features, labels, means[seen - 2 :], means, rows, normalise=False)
        np.testing.assert_allclose(
            made.rows(torch.arange(seen * 240)).view(seen, 240, 24),
            released[f"s{t}_pseudo"],
            rtol=0,
            atol=2e-8,
        )

    @pytest.mark.parametrize(("t", "seen"), [(0, 10), (1, 12), (2, 14), (3, 16)])
    def test_the_block_that_the_script_forgets_is_known(self, released, t, seen):
        order = released[f"s{t}_loader_class_order"]
        expected = np.ones((seen, 240), dtype=bool)
        loaded = [(label, row) for label in order for row in range(240)]
        for label, row in loaded[:512]:
            expected[label, row] = False
        labels = torch.arange(seen).repeat_interleave(240)
        np.testing.assert_array_equal(normalised_by_the_script(labels), expected.ravel())


class TestPycil:
    @pytest.mark.parametrize(("t", "seen"), [(1, 16), (2, 20)])
    def test_sources_are_equal(self, pycil, t, seen):
        means = torch.from_numpy(pycil[f"s{t}_means"])
        found = nearest_new(means, 4, measure="cosine")[:-4] + seen - 4
        np.testing.assert_array_equal(found, pycil[f"s{t}_relations"])

    def test_pseudo_features_are_equal(self, pycil):
        features, labels, means = state(pycil, 16, 20)
        rows = borrowed_rows(labels, nearest_new(means, 4, measure="cosine"))
        made = translate(features, labels, means[16:], means, rows, normalise=False)
        old = torch.nonzero(rows.label < 16).squeeze(1)
        np.testing.assert_array_equal(rows.label[old], pycil["s2_pseudo_labels"])
        np.testing.assert_allclose(made.rows(old), pycil["s2_pseudo"], rtol=0, atol=2e-6)


class TestSources:
    MEANS = torch.tensor([[4.0, 4.0], [0.0, 1.0], [1.0, 1.0], [4.0, 3.0], [0.0, 9.0]])

    def test_euclidean_prefers_the_near_and_cosine_the_parallel(self):
        assert nearest_new(self.MEANS, 3, measure="euclidean").tolist() == [1, 0, 0, 1, 2]
        assert nearest_new(self.MEANS, 3, measure="cosine").tolist() == [0, 2, 0, 1, 2]

    @pytest.mark.parametrize(("rank", "sources"), [(2, [0, 1]), (3, [2, 2]), (9, [2, 2])])
    def test_rank_takes_a_less_similar_class_down_to_the_last(self, rank, sources):
        found = nearest_new(self.MEANS, 3, measure="euclidean", rank=rank)
        assert found.tolist() == [*sources, 0, 1, 2]

    def test_equals_go_to_the_lowest_class(self):
        means = torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]])
        assert nearest_new(means, 3, measure="euclidean").tolist() == [0, 0, 1, 2]

    def test_a_single_new_class_serves_every_old_one(self):
        assert nearest_new(self.MEANS, 1, measure="cosine").tolist() == [0, 0, 0, 0, 0]


class TestTranslation:
    def test_four_points_by_hand(self):
        features = torch.tensor([[0.0, 0.0], [2.0, 0.0], [2.0, 2.0], [0.0, 2.0]])
        labels, mean = torch.zeros(4, dtype=torch.int64), torch.tensor([[1.0, 1.0]])
        means = torch.tensor([[5.0, -3.0], [1.0, 1.0]])
        rows = borrowed_rows(labels, torch.tensor([0, 0]))
        made = translate(features, labels, mean, means, rows, normalise=False)
        assert rows.label.tolist() == [0, 0, 0, 0, 1, 1, 1, 1]
        assert made.rows(torch.arange(8)).tolist() == [
            [4.0, -4.0], [6.0, -4.0], [6.0, -2.0], [4.0, -2.0], *features.tolist(),
        ]  # fmt: skip

    @settings(max_examples=40, deadline=None)
    @given(st.integers(0, 2**31), st.integers(1, 4), st.sampled_from(["euclidean", "cosine"]))
    def test_means_move_exactly_and_covariances_stay(self, seed, new, measure):
        generator = torch.Generator().manual_seed(seed)
        features = torch.randn(48, 3, generator=generator, dtype=torch.float64)
        labels = torch.arange(48) % new
        own = class_means(features, labels, range(new))
        old = torch.randn(5, 3, generator=generator, dtype=torch.float64)
        means = torch.cat([old, own])
        source = nearest_new(means, new, measure=measure)
        rows = borrowed_rows(labels, source)
        made = translate(features, labels, own, means, rows, normalise=False)
        for label in range(5 + new):
            cloud = made.rows(torch.nonzero(rows.label == label).squeeze(1))
            torch.testing.assert_close(cloud.mean(0), means[label])
            lender = features[labels == source[label]]
            torch.testing.assert_close(cloud.T.cov(), lender.T.cov())

    @settings(max_examples=20, deadline=None)
    @given(st.integers(0, 2**31))
    def test_rows_have_length_one(self, seed):
        features = torch.randn(20, 4, generator=torch.Generator().manual_seed(seed))
        labels = torch.arange(20) % 2
        own = class_means(features, labels, range(2))
        rows = borrowed_rows(labels, torch.tensor([1, 0, 1]))
        means = torch.cat([own[:1] + 1.0, own])
        lengths = translate(features, labels, own, means, rows).rows(torch.arange(30)).norm(dim=1)
        torch.testing.assert_close(lengths, torch.ones(30))

    def test_classes_of_different_sizes_lend_all_that_they_have(self):
        labels = torch.tensor([1, 0, 1, 1])
        rows = borrowed_rows(labels, torch.tensor([1, 0, 0, 1]))
        assert rows.label.tolist() == [0, 0, 0, 1, 2, 3, 3, 3]
        assert rows.sample.tolist() == [0, 2, 3, 1, 1, 0, 2, 3]


class TestRandom:
    LABELS = torch.arange(20) % 2

    @settings(max_examples=20, deadline=None)
    @given(st.integers(0, 2**31))
    def test_old_classes_get_as_many_samples_as_a_new_one_has_none_twice(self, seed):
        rows = random_rows(self.LABELS, 5, torch.Generator().manual_seed(seed))
        assert torch.bincount(rows.label).tolist() == [10] * 5
        for label in range(3):
            assert len(rows.sample[rows.label == label].unique()) == 10

    def test_new_classes_keep_their_own(self):
        rows = random_rows(self.LABELS, 5, torch.Generator().manual_seed(0))
        for label in (3, 4):
            own = torch.nonzero(label - 3 == self.LABELS).squeeze(1)
            assert torch.equal(rows.sample[rows.label == label], own)

    def test_samples_come_from_all_new_classes(self):
        rows = random_rows(self.LABELS, 5, torch.Generator().manual_seed(0))
        assert self.LABELS[rows.sample[rows.label == 0]].unique().tolist() == [0, 1]

    def test_equal_generators_draw_equal_rows(self):
        first, second = (
            random_rows(self.LABELS, 5, torch.Generator().manual_seed(3)) for _ in range(2)
        )
        assert torch.equal(first.sample, second.sample)
