"""How alike two representations of the same samples are: linear CKA, in minibatches.

Axis letters: N samples, B samples of a minibatch, D and E features.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

LEAST_ROWS = 4
"""The unbiased estimator divides by n - 3."""

MOST_ROWS = 256
"""Of a minibatch: its tensors have so many rows, or so many on each side."""

ROUNDING = 1e-12
"""A representation whose HSIC is a smaller share of its squared inner products does not vary."""


def linear_cka(batches: Iterable[tuple[Tensor, Tensor]]) -> Tensor:
    """Return () the linear CKA of two representations, float64 on their device.

    Centred kernel alignment (Kornblith et al. 2019) with the unbiased estimator of HSIC (Song et
    al. 2012), each term added up over minibatches (Nguyen et al. 2021, equations 2 and 3). 1 if one
    follows from the other by rotation, scale and shift; near 0, and negative by chance, for
    independent ones; NaN if one is constant. Waits for no device.

    Args:
        batches: (B, D) and (B, E) features of the same samples, B from `LEAST_ROWS` on.

    Raises:
        ValueError: there is no minibatch.
    """
    terms = [_terms(_centred(first_BD), _centred(second_BE)) for first_BD, second_BE in batches]
    if not terms:
        raise ValueError("no minibatch; expected at least 1")
    cross, first, second, *scales = torch.stack(terms).sum(0).unbind()
    own = [_where_it_varies(*pair) for pair in zip((first, second), scales, strict=True)]
    similarity: Tensor = cross / (own[0].sqrt() * own[1].sqrt())
    return similarity


def dealt(count: int, generator: torch.Generator, most: int = MOST_ROWS) -> tuple[Tensor, ...]:
    """Return the positions 0..N-1 in random order, dealt into as few minibatches as suffice.

    Their sizes differ by one at most, so that none is so small that its estimate is mostly noise.

    Args:
        count: N, at least 1.
        generator: on the CPU.
        most: rows of a minibatch.
    """
    return torch.randperm(count, generator=generator).tensor_split(-(-count // most))


def rows_at(parts: Sequence[Tensor], position_B: Tensor) -> Tensor:
    """Return (B, D) rows of parts that count as one tensor, without joining them.

    The rows of a part keep their order; parts follow each other.

    Args:
        parts: (N, D) each.
        position_B: (B,) positions in all parts together, on the CPU.
    """
    rows, start = [], 0
    for part in parts:
        inside = (position_B >= start) & (position_B < start + len(part))
        own = position_B[inside] - start
        if len(own):
            rows.append(part.index_select(0, own.to(part.device, non_blocking=True)))
        start += len(part)
    return torch.cat(rows)


def _centred(rows_BD: Tensor) -> Tensor:
    rows_BD = rows_BD.double()
    return rows_BD - rows_BD.mean(0)


def _terms(first_BD: Tensor, second_BE: Tensor) -> Tensor:
    """Return (5,) HSIC of both, of the first and of the second, and the scales of the last two."""
    rows, sizes = len(first_BD), (first_BD.shape[1], second_BE.shape[1])
    products = _by_features if _fewer_by_features(rows, *sizes) else _by_samples
    norms_B, others_B = first_BD.square().sum(1), second_BE.square().sum(1)
    cross, first, second = products(first_BD, second_BE)
    return torch.stack(
        [
            _hsic(cross, norms_B, others_B),
            _hsic(first, norms_B, norms_B),
            _hsic(second, others_B, others_B),
            first / _pairs(rows),
            second / _pairs(rows),
        ]
    )


def _hsic(product: Tensor, norms_B: Tensor, others_B: Tensor) -> Tensor:
    """Return the unbiased HSIC of centred rows (Song et al. 2012, HSIC_1).

    It takes inner products K and L without their diagonals. Rows of centred K add up to
    zero, so that its sums are those of the diagonal, the squared norms.

    Args:
        product: sum of the elementwise product of K and L, diagonals included.
        norms_B: diagonal of K.
        others_B: diagonal of L.
    """
    rows = len(norms_B)
    diagonal = norms_B @ others_B * rows / (rows - 2)
    means = norms_B.sum() * others_B.sum() / ((rows - 1) * (rows - 2))
    return (product - diagonal + means) / _pairs(rows)


def _pairs(rows: int) -> int:
    return rows * (rows - 3)


def _fewer_by_features(rows: int, size: int, other: int) -> bool:
    """Return whether D E + D D + E E products take less work than two B B ones of all rows."""
    return size * other + size * size + other * other < rows * (size + other)


def _by_features(first_BD: Tensor, second_BE: Tensor) -> list[Tensor]:
    """Return the products of K and L, of K and K, of L and L by way of sums over samples."""
    pairs = ((first_BD, second_BE), (first_BD, first_BD), (second_BE, second_BE))
    return [(one.T @ other).square().sum() for one, other in pairs]


def _by_samples(first_BD: Tensor, second_BE: Tensor) -> list[Tensor]:
    """Return the same from K and L themselves."""
    first_BB, second_BB = first_BD @ first_BD.T, second_BE @ second_BE.T
    pairs = ((first_BB, second_BB), (first_BB, first_BB), (second_BB, second_BB))
    return [(one * other).sum() for one, other in pairs]


def _where_it_varies(hsic: Tensor, scale: Tensor) -> Tensor:
    return torch.where(hsic > ROUNDING * scale, hsic, torch.nan)
