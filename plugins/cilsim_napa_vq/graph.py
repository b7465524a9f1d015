"""The neighbourhood graph over the code vectors, in the manner of a neural gas.

Axis letters: B batch, K code vectors.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class GraphRule:
    """How edges come and go.

    Attributes:
        neighbours: nearest code vectors that an edge leads to, the winner itself among them.
        decay: factor per encounter of the winner without the neighbour.
        lifetime: encounters after which an edge is removed.
    """

    neighbours: int = 15
    decay: float = 0.9
    lifetime: int = 10


@torch.no_grad()
def updated_edges(edges_KK: Tensor, distances_BK: Tensor, rule: GraphRule) -> Tensor:
    """Return the edges after one batch, not yet symmetric: what the loss of the batch uses.

    With win_i the nearest code vector of row i, n_a the rows that a won and c_ab those of them
    that have b among their nearest: an edge that was seen becomes 1; every edge is multiplied by
    decay^(n_a - c_ab); below decay^lifetime it is 0.

    Args:
        edges_KK: (K, K) strengths so far.
        distances_BK: (B, K) distances, squared or not, of each row to each code vector.
        rule: neighbours, decay, lifetime.
    """
    with torch.autocast(edges_KK.device.type, enabled=False):  # counts beyond 256 are not bf16
        nearest = min(rule.neighbours, distances_BK.shape[1])
        near_Bk = distances_BK.topk(nearest, dim=1, largest=False).indices
        won_BK = torch.zeros_like(edges_KK[0]).repeat(len(near_Bk), 1)
        near_BK = won_BK.scatter(1, near_Bk, 1.0)
        won_BK.scatter_(1, near_Bk[:, :1], 1.0)
        together_KK = won_BK.T @ near_BK
        without_KK = (won_BK.sum(0).unsqueeze(1) - together_KK).clamp_min(0.0)
        edges_KK = torch.where(together_KK > 0, 1.0, edges_KK) * rule.decay**without_KK
        return edges_KK.masked_fill(edges_KK < rule.decay**rule.lifetime, 0.0)


def symmetric(edges_KK: Tensor) -> Tensor:
    """Return the mean of both directions: what is kept between batches."""
    return (edges_KK + edges_KK.T) / 2


def kth_neighbour(linked_BK: Tensor, fraction_B: Tensor) -> Tensor:
    """Return (B,) the neighbour at `fraction` of the way through each row's neighbours.

    Args:
        linked_BK: (B, K) booleans, at least one True per row.
        fraction_B: (B,) in [0, 1).
    """
    rank_B = (fraction_B * linked_BK.sum(1)).long()
    return (linked_BK.cumsum(1) > rank_B.unsqueeze(1)).int().argmax(1)


def row_of_the_batch(linked_BK: Tensor, fraction: Tensor) -> Tensor:
    """Return a scalar: the number of a row of the batch, as often as it has neighbours.

    What the released lines pick under numpy 1.23 and later, where an index nested in a list no
    longer selects rows one by one. It is then used as if it were a code vector.
    """
    return kth_neighbour(linked_BK.flatten().unsqueeze(0), fraction.view(1))[0] // len(linked_BK[0])
