from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from cilsim.prototypes import scores as scores_module
from cilsim.prototypes.scores import best_rows, cosine_scores, euclidean_scores

GOLDEN = Path(__file__).parents[1] / "golden"


def test_cosine_scores_of_right_angles():
    features = torch.tensor([[2.0, 0.0], [0.0, 3.0], [1.0, 1.0]])
    prototypes = torch.tensor([[5.0, 0.0], [0.0, 0.1]])
    half = 0.5**0.5
    expected = torch.tensor([[16.0, 0.0], [0.0, 16.0], [16 * half, 16 * half]])
    torch.testing.assert_close(cosine_scores(features, prototypes, scale=16.0), expected)


def test_euclidean_scores_are_minus_squared_distances():
    features, prototypes = torch.tensor([[0.0, 0.0]]), torch.tensor([[3.0, 4.0], [0.0, 1.0]])
    torch.testing.assert_close(
        euclidean_scores(features, prototypes), torch.tensor([[-25.0, -1.0]])
    )


def test_a_zero_vector_scores_zero_and_never_nan():
    zeros = torch.zeros(1, 3)
    assert cosine_scores(zeros, torch.eye(3)).tolist() == [[0.0, 0.0, 0.0]]
    assert cosine_scores(torch.ones(1, 3), zeros).tolist() == [[0.0]]


def test_logits_of_degenerate_prototypes_equal_those_of_teen():
    with np.load(GOLDEN / "teen_edge_cases.npz", allow_pickle=False) as data:
        queries = torch.from_numpy(data["queries"])
        for row, name in enumerate(data["case_names"]):
            prototypes = torch.cat(
                [torch.from_numpy(data["base"][row]), torch.from_numpy(data["calibrated"][row])]
            )
            found = cosine_scores(queries, prototypes, scale=float(data["temperature"]))
            np.testing.assert_allclose(found, data["logits"][row], atol=1e-9, err_msg=name)


@pytest.fixture(scope="module")
def teen():
    with np.load(GOLDEN / "teen_calib_cifar100like.npz", allow_pickle=False) as archive:
        data = dict(archive)
    base, way = int(data["base_class"]), int(data["way"])
    rows = torch.from_numpy(data["fc_final"])
    features, labels = torch.from_numpy(data["x_test"]), data["y_test"]
    return data, base, way, rows, features, labels


def test_predictions_of_all_sessions_equal_those_of_teen(teen):
    data, base, way, rows, features, labels = teen
    for session, expected in enumerate(data["preds"]):
        seen = base + session * way
        tested = labels < seen
        found = cosine_scores(features[tested], rows[:seen]).argmax(1)
        np.testing.assert_array_equal(found, expected[tested])


def test_logits_equal_those_of_teen(teen):
    data, base, _, rows, features, labels = teen
    scale = float(data["temperature"])
    first = cosine_scores(features[labels < base], rows[:base], scale)
    np.testing.assert_allclose(first, data["logits_s0"], rtol=0, atol=5e-5)
    last = cosine_scores(features, rows, scale)
    np.testing.assert_allclose(last, data["logits_last"], rtol=0, atol=5e-5)


def test_on_unit_vectors_both_scores_rank_alike(teen):
    _, _, _, rows, features, _ = teen
    cosine, euclidean = (
        cosine_scores(features, rows),
        euclidean_scores(features, rows, normalise=True),
    )
    assert torch.equal(cosine.argmax(1), euclidean.argmax(1))
    torch.testing.assert_close(euclidean, 2 * cosine - 2, rtol=0, atol=2e-6)


def test_a_common_offset_costs_no_digits():
    generator = torch.Generator().manual_seed(0)
    features = torch.randn(20, 8, generator=generator) + 1000.0
    prototypes = torch.randn(5, 8, generator=generator) + 1000.0
    exact = -torch.cdist(features.double(), prototypes.double()).square()
    found = euclidean_scores(features, prototypes).double()
    torch.testing.assert_close(found, exact, rtol=1e-3, atol=1e-3)


def test_a_feature_on_a_prototype_scores_zero_and_not_more():
    prototypes = torch.rand(6, 9, generator=torch.Generator().manual_seed(0))
    found = euclidean_scores(prototypes, prototypes)
    assert (found <= 0).all()
    torch.testing.assert_close(found.diagonal(), torch.zeros(6), rtol=0, atol=1e-6)


@pytest.mark.parametrize("scores", [cosine_scores, euclidean_scores])
def test_scores_keep_the_precision_of_the_prototypes(scores):
    features, prototypes = torch.rand(4, 3), torch.rand(2, 3)
    expected = scores(features.bfloat16().float(), prototypes)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = scores(features.bfloat16(), prototypes)
    assert found.dtype == torch.float32
    assert torch.equal(found, expected)


@pytest.mark.parametrize("scores", [cosine_scores, euclidean_scores])
def test_equal_prototypes_tie_to_the_lowest_label(scores):
    prototypes = torch.tensor([[0.0, 1.0], [1.0, 0.0], [1.0, 0.0]])
    assert scores(torch.tensor([[3.0, 0.1]]), prototypes).argmax(1).tolist() == [1]


def test_best_rows_take_the_first_of_the_best_a_slice_at_a_time(monkeypatch):
    monkeypatch.setattr(scores_module, "SLICE", 2)
    sizes = []

    def scores(part_BD):
        sizes.append(len(part_BD))
        return part_BD

    features = torch.tensor([[1.0, 2.0], [3.0, 3.0], [0.0, 1.0]])
    assert best_rows(features, scores).tolist() == [1, 0, 1]
    assert sizes == [2, 1]
    assert best_rows(features[:0], scores).tolist() == []
