"""What an estimate of the number of classes starts from: samples for labelled classes, bounds.

Axis letters: L labelled samples, D features, C labelled classes, S samples per prototype.
"""

from __future__ import annotations

import torch
from torch import Tensor

from cilsim.seeding import derive_seed

SAMPLES_PER_PROTOTYPE = 100
"""How many samples are drawn to stand for a class of which only the prototype is left."""
MOST_FOR_SILHOUETTE = 5000
"""Rows that a silhouette is taken on; more are sampled, because it costs their square."""


def labelled_samples(
    labelled_LD: Tensor, classes_L: Tensor, spread: float | Tensor | None, seed: int, method: str
) -> tuple[Tensor, Tensor]:
    """Return labelled features and their classes 0..C-1, drawn around prototypes if need be.

    Args:
        labelled_LD: (L, D) labelled features, or (C, D) prototypes.
        classes_L: (L,) their classes, 0..C-1.
        spread: standard deviation around prototypes, a number or (C, D); None for samples.
        seed: of the draws.
        method: the estimator that asks, for messages.

    Raises:
        ValueError: a class has too few samples, or `spread` does not fit.
    """
    counts_C = torch.bincount(classes_L)
    if spread is not None:
        return _around_prototypes(labelled_LD, classes_L, counts_C, spread, seed)
    if not len(classes_L) or int(counts_C.min()) < 2:
        fewest = int(counts_C.min()) if len(classes_L) else 0
        raise ValueError(
            f"'{method}' finds {fewest} labelled samples of a class; expected at least 2, or "
            "prototypes with a spread, or the method 'silhouette', which needs no labels"
        )
    return labelled_LD, classes_L


def _around_prototypes(
    prototypes_LD: Tensor,
    classes_L: Tensor,
    counts_C: Tensor,
    spread: float | Tensor,
    seed: int,
) -> tuple[Tensor, Tensor]:
    if not len(classes_L) or int(counts_C.max()) > 1:
        raise ValueError(
            f"{len(classes_L)} labelled rows of {len(counts_C)} classes come with a spread; "
            "expected one prototype per class"
        )
    prototypes_CD = prototypes_LD[classes_L.argsort()]
    deviation = torch.as_tensor(spread, dtype=prototypes_CD.dtype, device=prototypes_CD.device)
    if deviation.shape not in ((), prototypes_CD.shape):
        raise ValueError(
            f"spread has shape {tuple(deviation.shape)}; expected a number or "
            f"{tuple(prototypes_CD.shape)}"
        )
    if not bool((deviation >= 0).all()) or not bool(torch.isfinite(deviation).all()):
        raise ValueError("spread is negative or not finite; expected standard deviations")
    generator = torch.Generator().manual_seed(derive_seed(seed, "class_count", "prototypes"))
    classes, size = prototypes_CD.shape
    shape = (classes, SAMPLES_PER_PROTOTYPE, size)
    noise_CSD = torch.randn(shape, generator=generator).to(prototypes_CD)
    scale = deviation.unsqueeze(1) if deviation.ndim else deviation
    drawn_LD = (prototypes_CD.unsqueeze(1) + scale * noise_CSD).flatten(0, 1)
    numbers_C = torch.arange(classes, device=classes_L.device)
    return drawn_LD, numbers_C.repeat_interleave(SAMPLES_PER_PROTOTYPE)


def bounds_for(
    rows: int, classes: int, at_least: int | None, at_most: int, aside: int, floor: int
) -> tuple[int, int]:
    """Return the smallest and largest number of clusters to consider.

    Args:
        rows: number of rows that are clustered.
        classes: number of labelled classes.
        at_least: smallest number of classes asked for, or None.
        at_most: largest one.
        aside: labelled classes that are not clustered but count.
        floor: smallest number of clusters that the method can score.

    Raises:
        ValueError: nothing is between the bounds, or a bound is below the labelled classes.
    """
    low = classes if at_least is None else at_least
    if low < classes:
        raise ValueError(
            f"at_least={low} for {classes} labelled classes; expected at least as many"
        )
    if at_most < low:
        raise ValueError(f"at_most={at_most} and at_least={low}; expected at_most to be no less")
    smallest, largest = max(low - aside, floor), min(at_most - aside, rows)
    if largest < smallest:
        raise ValueError(
            f"{rows} samples for {smallest} to {at_most - aside} clusters; expected at least one "
            "sample per cluster and a range to search"
        )
    return smallest, largest


def sample_rows(rows: int, seed: int) -> Tensor:
    """Return the positions of the rows on which silhouettes are taken: all, or a sample."""
    if rows <= MOST_FOR_SILHOUETTE:
        return torch.arange(rows)
    generator = torch.Generator().manual_seed(derive_seed(seed, "class_count", "silhouette"))
    return torch.randperm(rows, generator=generator)[:MOST_FOR_SILHOUETTE]
