"""The formulas of NAPA-VQ against arrays of the released code and values on paper."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from cilsim.training.distillation import feature_distance
from cilsim.training.rotation import rotated_images
from cilsim_napa_vq.augmentation import drawn_prototypes, mixed_prototypes
from cilsim_napa_vq.codebook import Codebook
from cilsim_napa_vq.graph import (
    GraphRule,
    kth_neighbour,
    row_of_the_batch,
    symmetric,
    updated_edges,
)
from cilsim_napa_vq.losses import distance_logits, neighbourhood_loss, squared_distances
from cilsim_napa_vq.options import NapaVqOptions
from cilsim_napa_vq.quantiser import quantise

RULE = GraphRule()


def load(golden: Path, name: str) -> dict[str, Any]:
    return dict(np.load(golden / f"{name}.npz", allow_pickle=False))


@pytest.mark.parametrize("batch", range(10))
def test_edges_loss_and_gradients_equal_the_released_code(golden: Path, batch: int) -> None:
    arrays = load(golden, "napa_codebook_edges")
    x = torch.from_numpy(arrays[f"x{batch}"]).float().requires_grad_()
    vectors = torch.from_numpy(arrays["cvs_start"]).clone().requires_grad_()
    squared = squared_distances(x, vectors)
    edges = updated_edges(torch.from_numpy(arrays[f"edges_before{batch}"]), squared.detach(), RULE)
    loss = neighbourhood_loss(squared, torch.from_numpy(arrays[f"y{batch}"]), edges)
    loss.backward()  # type: ignore[no-untyped-call]
    np.testing.assert_allclose(symmetric(edges), arrays[f"edges_after{batch}"], atol=1e-6)
    assert loss.item() == pytest.approx(float(arrays[f"loss{batch}"]), abs=1e-5)
    np.testing.assert_allclose(x.grad, arrays[f"grad_x{batch}"], atol=1e-6)
    np.testing.assert_allclose(vectors.grad, arrays[f"grad_cvs{batch}"], atol=1e-6)


def test_growth_equals_the_released_code(golden: Path) -> None:
    arrays = load(golden, "napa_codebook_growth")
    codebook = Codebook(torch.from_numpy(arrays["cvs_before"]))
    codebook.edges.copy_(torch.from_numpy(arrays["edges_before"]))
    generator = torch.Generator().manual_seed(int(arrays["new_cvs_torch_seed"]))
    grown = codebook.grown(8, generator)
    np.testing.assert_array_equal(grown.vectors.detach(), arrays["cvs_after"])
    np.testing.assert_array_equal(grown.edges, arrays["edges_after"])


def features_of(images: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """The extractor that the golden arrays were made with."""
    return F.relu(F.linear(F.adaptive_avg_pool2d(images, 4).flatten(1), weight, bias))


def fraction_of(linked: Tensor, chosen: int) -> float:
    """Return a draw that leads `kth_neighbour` to the entry `chosen` of a row."""
    return (float(linked[:chosen].sum()) + 0.5) / float(linked.sum())


@pytest.mark.parametrize(
    ("prefix", "choice"), [("", "intended"), ("newnumpy_", "numpy_1_23")], ids=["old", "new"]
)
def test_incremental_loss_equals_the_released_code(golden: Path, prefix: str, choice: str) -> None:
    """Losses, graph and gradients of one batch, with the neighbours of old and of newer numpy."""
    arrays = load(golden, "napa_incremental_loss")
    read = {name: torch.from_numpy(np.asarray(array)) for name, array in arrays.items()}
    images = rotated_images(read["images"].float())
    assert torch.equal(images[:8], read["rot_images_first2"].float())
    weight = read["lin_weight"].clone().requires_grad_()
    features = features_of(images, weight, read["lin_bias"])
    old = features_of(images, read["old_lin_weight"], read["lin_bias"])
    np.testing.assert_allclose(features.detach(), arrays["feature"], atol=1e-5)
    codebook = Codebook(read["cvs"])
    codebook.edges.copy_(read["edges_before"])
    options = NapaVqOptions(temperature=float(arrays["temp"]))
    real = quantise(codebook, features, read["rot_targets"], options)

    draws = np.random.RandomState(int(arrays["np_seed"]))
    vector_B = 4 * torch.from_numpy(draws.choice(6, 16))
    assert vector_B.tolist() == arrays[f"{prefix}random_indices"].tolist()
    linked = codebook.edges[vector_B] > 0
    if choice == "intended":
        chosen = [int(draws.choice(np.nonzero(row.numpy())[0])) for row in linked]
        fractions = [fraction_of(row, one) for row, one in zip(linked, chosen, strict=True)]
    else:
        entries = np.flatnonzero(linked.numpy())
        place = draws.choice(len(entries))
        fractions = [(place + 0.5) / len(entries)] * 16
    share_B = torch.from_numpy(draws.uniform(0.5, 1.0, 16)).float()
    neighbour_B = codebook.pick_neighbours(vector_B, torch.tensor(fractions), choice)
    picked = np.broadcast_to(arrays[f"{prefix}picked_neighbour"], 16)
    assert neighbour_B.tolist() == picked.tolist()
    mixed = mixed_prototypes(read["prototypes"], vector_B, neighbour_B, share_B)
    np.testing.assert_allclose(mixed, arrays[f"{prefix}proto_aug"], atol=1e-5)

    drawn = quantise(codebook, mixed, vector_B, options)
    distillation = feature_distance(features, old)
    near = real.neighbourhood + drawn.neighbourhood
    other = 10.0 * drawn.classes + 10.0 * distillation
    (real.classes + near + other).backward()  # type: ignore[no-untyped-call]
    names = ("loss_dce", "loss_kd", "loss_protoaug", "loss_na_total", "loss_other")
    terms = (real.classes, distillation, drawn.classes, near, other)
    expected = [float(arrays[prefix + name]) for name in names]
    assert [term.item() for term in terms] == pytest.approx(expected, rel=1e-5)
    np.testing.assert_allclose(codebook.edges, arrays[f"{prefix}edges_after"], atol=1e-6)
    np.testing.assert_allclose(weight.grad, arrays[f"{prefix}grad_lin_weight"], atol=1e-4)
    gradient = arrays[f"{prefix}grad_cvs_all"]
    np.testing.assert_allclose(codebook.vectors.grad, gradient, atol=1e-4)


def test_an_edge_is_made_decays_and_dies() -> None:
    """Three vectors on a line, two neighbours; rows won by the first, first with 1, then with 2."""
    rule = GraphRule(neighbours=2, decay=0.5, lifetime=2)
    near_1 = torch.tensor([[0.0, 1.0, 2.0]])
    near_2 = torch.tensor([[0.0, 2.0, 1.0]])
    edges = updated_edges(torch.eye(3), near_1, rule)
    assert edges.tolist() == [[1, 1, 0], [0, 1, 0], [0, 0, 1]]
    edges = updated_edges(edges, near_2, rule)
    assert edges.tolist() == [[1, 0.5, 1], [0, 1, 0], [0, 0, 1]]
    edges = updated_edges(edges, torch.cat([near_2, near_2]), rule)
    assert edges.tolist() == [[1, 0, 1], [0, 1, 0], [0, 0, 1]]


def test_an_edge_seen_less_often_than_its_winner_won_decays_in_the_same_batch() -> None:
    rows = torch.tensor([[0.0, 1.0, 2.0], [0.0, 1.0, 2.0], [0.0, 2.0, 1.0]])
    edges = updated_edges(torch.eye(3), rows, GraphRule(neighbours=2, decay=0.5, lifetime=5))
    assert edges[0].tolist() == [1.0, 0.5, 0.25]


def test_the_neighbourhood_loss_of_a_hand_made_case() -> None:
    """Row 0: 1 - (4 + 9) / 2 < 0; row 1: 9 - 1, its one neighbour; row 2: no neighbour, 2."""
    squared = torch.tensor([[1.0, 4.0, 9.0], [1.0, 9.0, 4.0], [3.0, 3.0, 2.0]])
    edges = torch.tensor([[1.0, 0.5, 0.5], [0.5, 1.0, 0.0], [0.0, 0.0, 1.0]])
    loss = neighbourhood_loss(squared, torch.tensor([0, 1, 2]), edges, softness=0.0)
    assert loss.item() == pytest.approx((0.0 + 8.0 + 2.0) / 3)


def test_nearer_neighbours_weigh_more() -> None:
    squared = torch.tensor([[9.0, 1.0, 4.0]], requires_grad=True)
    edges = torch.ones(3, 3)
    loss = neighbourhood_loss(squared, torch.tensor([0]), edges, softness=1.0)
    near, far = np.exp(-1.0), np.exp(-4.0)
    assert loss.item() == pytest.approx(9.0 - (near + 4.0 * far) / (near + far))
    loss.backward()  # type: ignore[no-untyped-call]
    assert squared.grad is not None
    weights = [1.0, -near / (near + far), -far / (near + far)]  # taken as constant
    np.testing.assert_allclose(squared.grad[0], weights, rtol=1e-5)


def test_vanishing_weights_leave_the_pull_alone() -> None:
    squared = torch.tensor([[2.0, 1e6]])
    loss = neighbourhood_loss(squared, torch.tensor([0]), torch.ones(2, 2), softness=0.001)
    assert loss.item() == 2.0


def test_logits_are_distances_that_are_not_squared() -> None:
    squared = squared_distances(torch.tensor([[3.0, 4.0]]), torch.tensor([[0.0, 0.0], [3.0, 4.0]]))
    np.testing.assert_allclose(distance_logits(squared), [[-5.0, 0.0]], atol=1e-5)


def test_the_code_vectors_have_a_recipe_of_their_own() -> None:
    options = NapaVqOptions()
    base, later = options.codebook_recipe(0, 100), options.codebook_recipe(3, 20)
    assert (base.optimizer, base.lr, base.momentum, base.weight_decay) == ("sgd", 5.0, 0.0, 0.0)
    assert (base.schedule, base.milestones, base.gamma) == ("step", (20, 40, 60, 80), 0.1)
    assert (later.lr, later.schedule, later.milestones) == (0.5, "constant", ())


def test_neighbours_are_counted_through() -> None:
    linked = torch.tensor([[False, True, False, True, True]]).expand(4, 5)
    fractions = torch.tensor([0.0, 0.34, 0.67, 0.999])
    assert kth_neighbour(linked, fractions).tolist() == [1, 3, 4, 4]


def test_newer_numpy_picks_a_row_of_the_batch() -> None:
    """Three entries in row 0, one in row 1: the last quarter of the draws gives row 1."""
    linked = torch.tensor([[True, True, True], [False, False, True]])
    rows = [int(row_of_the_batch(linked, torch.tensor(f))) for f in (0.0, 0.7, 0.8)]
    assert rows == [0, 0, 1]


def test_without_self_falls_back_to_itself() -> None:
    codebook = Codebook(torch.zeros(3, 2))
    codebook.edges[0, 2] = codebook.edges[2, 0] = 0.5
    vector_B = torch.tensor([0, 1])
    picked = codebook.pick_neighbours(vector_B, torch.tensor([0.0, 0.0]), "without_self")
    assert picked.tolist() == [2, 1]


@settings(max_examples=60, deadline=None)
@given(
    count=st.integers(1, 12),
    rows=st.integers(1, 40),
    neighbours=st.integers(1, 15),
    batches=st.integers(1, 6),
    seed=st.integers(0, 1000),
)
def test_the_graph_stays_symmetric_reflexive_and_bounded(
    count: int, rows: int, neighbours: int, batches: int, seed: int
) -> None:
    generator = torch.Generator().manual_seed(seed)
    codebook = Codebook(torch.randn(count, 3, generator=generator))
    rule = GraphRule(neighbours=neighbours)
    for _ in range(batches):
        x = torch.randn(rows, 3, generator=generator)
        codebook.observe(squared_distances(x, codebook.vectors), rule)
    edges = codebook.edges
    assert torch.equal(edges, edges.T)
    assert edges.diagonal().tolist() == [1.0] * count
    assert 0.0 <= float(edges.min()) <= float(edges.max()) <= 1.0
    linked = edges[edges > 0]
    assert float(linked.min()) >= 0.9**10 / 2 - 1e-6


@settings(max_examples=60, deadline=None)
@given(
    old=st.integers(1, 5),
    rotations=st.sampled_from([1, 4]),
    choice=st.sampled_from(["intended", "without_self"]),
    seed=st.integers(0, 1000),
)
def test_drawn_prototypes_stand_for_rotation_0_of_old_classes(
    old: int, rotations: int, choice: str, seed: int
) -> None:
    """Neighbours are linked, and the class itself has at least half of the mixture."""
    generator = torch.Generator().manual_seed(seed)
    count = rotations * (old + 1)
    codebook = Codebook(torch.zeros(count, 2))
    links = torch.rand(count, count, generator=generator) > 0.5
    codebook.edges.copy_(symmetric(links.float()).fill_diagonal_(1.0))
    uniform = torch.rand(3, 16, generator=generator)
    mixed, vector_B = drawn_prototypes(
        codebook, torch.eye(count), uniform, old_classes=old, rotations=rotations, choice=choice
    )
    assert (vector_B % rotations == 0).all()
    assert int(vector_B.max()) < rotations * old
    torch.testing.assert_close(mixed.sum(1), torch.ones(16))
    assert float(mixed.gather(1, vector_B.unsqueeze(1)).min()) >= 0.5
    assert bool((codebook.edges[vector_B][mixed > 0] > 0).all())


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 1000), shift=st.floats(-100.0, 100.0))
def test_squared_distances_do_not_mind_a_common_offset(seed: int, shift: float) -> None:
    generator = torch.Generator().manual_seed(seed)
    x, vectors = torch.randn(5, 4, generator=generator), torch.randn(7, 4, generator=generator)
    direct = (x.unsqueeze(1) - vectors).square().sum(2)
    torch.testing.assert_close(
        squared_distances(x + shift, vectors + shift), direct, atol=1e-3, rtol=1e-3
    )
