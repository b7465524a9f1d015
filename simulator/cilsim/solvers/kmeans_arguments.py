"""What k-means can be asked: checks with messages, and the draws of its restarts.

Axis letters: N free points, L labelled points, D features, R restarts, M centres to draw, A
candidates per draw.
"""

from __future__ import annotations

import torch
from torch import Tensor

from cilsim.solvers.chunking import bound_for, chunks


def check_features(
    free_ND: Tensor, labelled_LD: Tensor, class_ids_L: Tensor, max_bytes: int | None = None
) -> None:
    """Check shapes, devices and finiteness, the last in slices of `max_bytes`.

    Raises:
        ValueError: something does not fit; the message holds the shapes.
    """
    shapes = f"{tuple(free_ND.shape)}, {tuple(labelled_LD.shape)} and {tuple(class_ids_L.shape)}"
    matrices = free_ND.ndim == 2 and labelled_LD.ndim == 2
    if not matrices or labelled_LD.shape != (*class_ids_L.shape, free_ND.shape[1]):
        raise ValueError(
            f"features, labelled features and class ids have shapes {shapes}; "
            "expected (N, D), (L, D) and (L,)"
        )
    if not free_ND.is_floating_point():
        raise ValueError(f"features are {free_ND.dtype}; expected floating-point numbers")
    for name, part in (("features", free_ND), ("labelled features", labelled_LD)):
        if not _finite(part, bound_for(max_bytes, part.device)):
            raise ValueError(f"{name} hold NaN or infinity; expected finite numbers")


def check_sizes(points: int, clusters: int, free: int, max_iterations: int) -> None:
    """Check that the clusters can be filled.

    Args:
        points: number of points that are free to move.
        clusters: K.
        free: K less the number of labelled classes.
        max_iterations: most iterations of a restart.

    Raises:
        ValueError: they cannot.
    """
    if clusters < 1 or max_iterations < 1:
        raise ValueError(
            f"clusters={clusters} and max_iterations={max_iterations}; expected at least 1 of each"
        )
    if free < 0:
        raise ValueError(
            f"{clusters} clusters for {clusters - free} labelled classes; "
            "expected at least one per class"
        )
    if points < max(free, 1):
        raise ValueError(
            f"{points} points for {free} clusters without labels; "
            "expected at least one point per cluster"
        )


def draws_for(
    generator: torch.Generator | None,
    given_RM: Tensor | None,
    restarts: int,
    free: int,
    candidates: int,
) -> Tensor:
    """Return (R, M, A) float64 uniforms in [0, 1) on the CPU.

    With no centre to draw all restarts are the same, so there is one. Draws that are given are
    for one candidate each.

    Raises:
        ValueError: not exactly one source is given, it does not fit, or a number is below 1.
    """
    if (generator is None) == (given_RM is None):
        raise ValueError("expected either a generator or uniform_draws")
    if given_RM is not None:
        if given_RM.ndim != 2 or len(given_RM) < 1 or given_RM.shape[1] != free:
            raise ValueError(
                f"uniform_draws have shape {tuple(given_RM.shape)}; expected (restarts, {free})"
            )
        return given_RM.to(torch.float64).unsqueeze(2)
    assert generator is not None  # one of the two is given
    if restarts < 1 or candidates < 1:
        raise ValueError(
            f"n_init={restarts} and candidates={candidates}; expected at least 1 of each"
        )
    if generator.device.type != "cpu":
        raise ValueError(
            f"the generator is on {generator.device}; expected the CPU, "
            "so that draws are equal on every device"
        )
    shape = (restarts if free else 1, free, candidates)
    return torch.rand(shape, generator=generator, dtype=torch.float64)


def _finite(points_ND: Tensor, max_bytes: int) -> bool:
    """Return whether the smallest and the largest are: a tenth of the time of a look at all."""
    finite = torch.ones((), dtype=torch.bool, device=points_ND.device)
    for part in chunks(points_ND.numel() and len(points_ND), points_ND[:1].nbytes, max_bytes):
        smallest, largest = torch.aminmax(points_ND[part])  # NaN wins both
        finite &= torch.isfinite(smallest) & torch.isfinite(largest)
    return bool(finite)
