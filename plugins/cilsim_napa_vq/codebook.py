"""The code vectors and their graph.

Axis letters: K code vectors, D features, B drawn prototypes.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from cilsim_napa_vq.graph import (
    GraphRule,
    kth_neighbour,
    row_of_the_batch,
    symmetric,
    updated_edges,
)


class Codebook(nn.Module):
    """One code vector per class and rotation, in the order class * rotations + rotation.

    Attributes:
        vectors: (K, D), trained.
        edges: (K, K) strengths in [0, 1], 1 on the diagonal, symmetric between batches.
    """

    edges: Tensor

    def __init__(self, vectors_KD: Tensor) -> None:
        super().__init__()
        self.vectors = nn.Parameter(vectors_KD.clone())
        self.register_buffer("edges", torch.eye(len(vectors_KD), device=vectors_KD.device))

    def grown(self, count: int, generator: torch.Generator) -> Codebook:
        """Return a codebook with `count` more vectors from N(0, 1), each linked to itself alone."""
        old, feature_size = self.vectors.shape
        new_KD = torch.randn(count, feature_size, generator=generator).to(self.vectors.device)
        wider = Codebook(torch.cat([self.vectors.detach(), new_KD]))
        wider.edges[:old, :old] = self.edges
        return wider

    @classmethod
    def empty(cls, feature_size: int, device: torch.device) -> Codebook:
        """Return a codebook without a vector."""
        return cls(torch.empty(0, feature_size, device=device))

    def resized(self, vectors_KD: Tensor) -> Codebook:
        """Return this codebook if `vectors_KD` has its shape, else a fresh one of that shape."""
        fits = self.vectors.shape == vectors_KD.shape
        return self if fits else Codebook(vectors_KD.to(self.vectors.device))

    def observe(self, squared_BK: Tensor, rule: GraphRule) -> Tensor:
        """Take a batch into the graph and return the edges that its loss uses."""
        edges_KK = updated_edges(self.edges, squared_BK.detach(), rule)
        self.edges.copy_(symmetric(edges_KK))
        return edges_KK

    def pick_neighbours(self, vector_B: Tensor, fraction_B: Tensor, choice: str) -> Tensor:
        """Return (B,) a code vector for each of `vector_B`, uniform over its neighbours.

        Args:
            vector_B: (B,) code vectors.
            fraction_B: (B,) uniform draws in [0, 1).
            choice: `intended`, `without_self` or `numpy_1_23`, as the option explains.
        """
        linked_BK = self.edges.index_select(0, vector_B) > 0
        if choice == "numpy_1_23":
            row = row_of_the_batch(linked_BK, fraction_B[0])
            return (row % linked_BK.shape[1]).expand(len(vector_B))
        if choice == "without_self":
            others_BK = linked_BK.scatter(1, vector_B.unsqueeze(1), False)
            linked_BK = torch.where(others_BK.any(1, keepdim=True), others_BK, linked_BK)
        return kth_neighbour(linked_BK, fraction_B)
