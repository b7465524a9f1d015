"""The formula of TEEN: values of the released code, and the invariants that follow from it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays as drawn_arrays
from torch import Tensor

from cilsim_teen.calibration import calibrate

PAPER = {"calibration_weight": 0.5, "similarity_scale": 16.0}


def stored(path: Path) -> dict[str, Any]:
    with np.load(path, allow_pickle=False) as arrays:
        return dict(arrays)


def test_golden_prototypes_of_eight_sessions(golden: Path) -> None:
    arrays = stored(golden / "teen_calib_cifar100like.npz")
    base_KD = torch.from_numpy(arrays["base_protos"])
    for raw, expected in zip(
        arrays["new_protos_raw"], arrays["new_protos_calibrated"], strict=True
    ):
        ours = calibrate(
            torch.from_numpy(raw),
            base_KD,
            calibration_weight=float(arrays["shift_weight"]),
            similarity_scale=float(arrays["softmax_t"]),
        )
        np.testing.assert_allclose(ours.numpy(), expected, rtol=0, atol=1e-5)


CASES = [
    "typical",
    "zero_base_prototype",
    "zero_new_prototype",
    "new_equals_scaled_base",
    "duplicate_base",
    "very_different_norms",
    "delta_exactly_zero",
    "tiny_norm_below_eps",
]


@pytest.mark.parametrize("case", range(8), ids=CASES)
def test_golden_edge_cases(golden: Path, case: int) -> None:
    arrays = stored(golden / "teen_edge_cases.npz")
    assert arrays["case_names"].tolist() == CASES
    new_KD, base_KD = (torch.from_numpy(arrays[part][case]) for part in ("new", "base"))
    ours = calibrate(new_KD, base_KD, **PAPER)
    np.testing.assert_allclose(ours.numpy(), arrays["calibrated"][case], rtol=0, atol=1e-9)
    in_float32 = calibrate(new_KD.float(), base_KD.float(), **PAPER)
    expected = arrays["calibrated_float32"][case]
    np.testing.assert_allclose(in_float32.numpy(), expected, rtol=0, atol=1e-5)


def test_two_prototypes_by_hand() -> None:
    """Equal similarity to both base classes: the mixture is the diagonal."""
    base_KD = torch.tensor([[2.0, 0.0], [0.0, 3.0]], dtype=torch.float64)
    new_KD = torch.tensor([[5.0, 5.0], [-1.0, -1.0]], dtype=torch.float64)
    ours = calibrate(new_KD, base_KD, calibration_weight=0.25, similarity_scale=16.0)
    diagonal = 0.5**0.5
    expected = [[diagonal, diagonal], [-0.5 * diagonal, -0.5 * diagonal]]
    np.testing.assert_allclose(ours.numpy(), expected, atol=1e-15)


# -------------------------------------------------------------------- invariants


def vectors(rows: int) -> st.SearchStrategy[Tensor]:
    """Draw (rows, 8) vectors; none is so short that its direction is rounding."""
    values = drawn_arrays(np.float64, (rows, 8), elements=st.floats(-4.0, 4.0, width=32))
    return values.map(torch.from_numpy).filter(lambda v: bool((v.norm(dim=1) > 0.1).all()))


NEW, BASE = vectors(3), vectors(5)
WEIGHT, SCALE = st.floats(0.0, 1.0), st.floats(0.0, 64.0)
close = torch.testing.assert_close


@given(NEW, BASE, SCALE)
def test_weight_zero_leaves_the_direction(new: Tensor, base: Tensor, scale: float) -> None:
    ours = calibrate(new, base, calibration_weight=0.0, similarity_scale=scale)
    close(ours, F.normalize(new))


@given(NEW, BASE, SCALE)
def test_weight_one_lies_in_the_span_of_the_base(new: Tensor, base: Tensor, scale: float) -> None:
    ours = calibrate(new, base, calibration_weight=1.0, similarity_scale=scale)
    weights = torch.softmax(scale * F.normalize(new) @ F.normalize(base).T, dim=1)
    mixture = weights @ F.normalize(base)
    close(ours * mixture.norm(dim=1, keepdim=True), mixture)


@given(NEW, BASE)
def test_scale_zero_mixes_all_base_classes_equally(new: Tensor, base: Tensor) -> None:
    ours = calibrate(new, base, calibration_weight=1.0, similarity_scale=0.0)
    mixture = F.normalize(F.normalize(base).mean(0, keepdim=True))
    close(ours, mixture.expand(3, -1), atol=1e-9, rtol=1e-9)


@given(NEW, BASE)
def test_a_huge_scale_takes_the_nearest_base_class(new: Tensor, base: Tensor) -> None:
    cosines = F.normalize(new) @ F.normalize(base).T
    nearest, second = cosines.topk(2, dim=1).values.T
    clear = nearest - second > 1e-3
    ours = calibrate(new, base, calibration_weight=1.0, similarity_scale=1e6)
    close(ours[clear], F.normalize(base)[cosines.argmax(1)][clear])


@given(NEW, BASE, WEIGHT, SCALE, vectors(1))
def test_only_directions_matter(
    new: Tensor, base: Tensor, weight: float, scale: float, factors: Tensor
) -> None:
    lengths = factors[0].abs() + 0.01
    options = {"calibration_weight": weight, "similarity_scale": scale}
    rescaled = calibrate(new * lengths[:3, None], base * lengths[3:, None], **options)
    close(rescaled, calibrate(new, base, **options), atol=1e-9, rtol=1e-9)


@given(NEW, BASE, WEIGHT, SCALE, st.permutations(range(5)))
def test_the_order_of_base_classes_does_not_matter(
    new: Tensor, base: Tensor, weight: float, scale: float, order: list[int]
) -> None:
    options = {"calibration_weight": weight, "similarity_scale": scale}
    ours = calibrate(new, base[order], **options)
    close(ours, calibrate(new, base, **options), atol=1e-9, rtol=1e-9)


@given(NEW, BASE, WEIGHT, SCALE)
def test_splitting_new_classes_over_sessions_does_not_matter(
    new: Tensor, base: Tensor, weight: float, scale: float
) -> None:
    options = {"calibration_weight": weight, "similarity_scale": scale}
    parts = [calibrate(part, base, **options) for part in (new[2:], new[:2])]
    close(torch.cat(parts[::-1]), calibrate(new, base, **options))


@given(NEW, BASE, WEIGHT, SCALE)
def test_rows_are_never_longer_than_one(
    new: Tensor, base: Tensor, weight: float, scale: float
) -> None:
    ours = calibrate(new, base, calibration_weight=weight, similarity_scale=scale)
    assert bool((ours.norm(dim=1) <= 1.0 + 1e-12).all())


@given(vectors(3).map(torch.abs), vectors(5).map(torch.abs), WEIGHT, SCALE)
def test_features_without_sign_keep_at_least_the_length_of_orthogonal_parts(
    new: Tensor, base: Tensor, weight: float, scale: float
) -> None:
    ours = calibrate(new, base, calibration_weight=weight, similarity_scale=scale)
    least = ((1 - weight) ** 2 + weight**2) ** 0.5
    assert bool((ours.norm(dim=1) >= least - 1e-9).all())


@given(NEW, BASE, WEIGHT, SCALE, st.sets(st.integers(0, 7)))
def test_zero_prototypes_give_no_nan(
    new: Tensor, base: Tensor, weight: float, scale: float, zeros: set[int]
) -> None:
    both = torch.cat([new, base])
    both[sorted(zeros)] = 0.0
    ours = calibrate(both[:3], both[3:], calibration_weight=weight, similarity_scale=scale)
    assert bool(torch.isfinite(ours).all())


def test_a_zero_base_prototype_still_takes_its_share_of_the_softmax() -> None:
    base = torch.tensor([[1.0, 0.0], [0.0, 0.0]], dtype=torch.float64)
    new = torch.tensor([[0.0, 1.0]], dtype=torch.float64)
    ours = calibrate(new, base, calibration_weight=1.0, similarity_scale=16.0)
    close(ours, torch.tensor([[1.0, 0.0]], dtype=torch.float64))


@given(NEW, BASE, st.floats(0.1, 0.9))
def test_a_second_calibration_would_pull_further(new: Tensor, base: Tensor, weight: float) -> None:
    """Why a class is calibrated once: the new direction loses weight with every application."""
    options = {"calibration_weight": weight, "similarity_scale": 0.0}  # the same mixture each time
    mixture = F.normalize(F.normalize(base).mean(0, keepdim=True))
    once = calibrate(new, base, **options)
    twice = calibrate(once, base, **options)
    first, second = (F.cosine_similarity(rows, mixture) for rows in (once, twice))
    opposite = F.normalize(once).add(mixture).norm(dim=1) < 1e-3
    assert bool(((second >= first - 1e-9) | opposite).all())
