"""Projection of features for contrastive losses.

Axis letters: N rows, D features, P size of the projection.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

INIT_STD = 0.02


class ProjectionHead(nn.Module):
    """Linear, GELU, Linear, GELU, Linear, and for GCD a last layer on the normalised result.

    DINO's head (Caron et al. 2021) as SimGCD and its followers use it: weights truncated normal
    with standard deviation 0.02, biases 0. GCD contrasts in a further `outputs`-dimensional space
    of cosines to unit rows.

    Attributes:
        mlp: the three linear layers.
        last: (outputs, P) rows, normalised in use, or None.
    """

    def __init__(
        self,
        feature_size: int,
        generator: torch.Generator,
        *,
        hidden: int = 2048,
        bottleneck: int = 256,
        outputs: int | None = None,
    ) -> None:
        """Build the head.

        Args:
            feature_size: D.
            generator: CPU generator of the first weights.
            hidden: width of the two hidden layers.
            bottleneck: P.
            outputs: rows of a last layer without bias on the normalised result; None has none.
        """
        super().__init__()
        sizes = [(feature_size, hidden), (hidden, hidden), (hidden, bottleneck)]
        first, second, third = (nn.Linear(*size) for size in sizes)
        for layer in (first, second, third):
            nn.init.trunc_normal_(layer.weight, std=INIT_STD, generator=generator)
            nn.init.zeros_(layer.bias)
        self.mlp = nn.Sequential(first, nn.GELU(), second, nn.GELU(), third)
        self.last: nn.Parameter | None = None
        if outputs is not None:
            rows_OP = torch.empty(outputs, bottleneck)
            nn.init.trunc_normal_(rows_OP, std=INIT_STD, generator=generator)
            self.last = nn.Parameter(rows_OP)

    def forward(self, features_ND: Tensor) -> Tensor:
        """Return projections (N, P), or (N, outputs) cosines with a last layer."""
        projections_NP: Tensor = self.mlp(features_ND)
        if self.last is None:
            return projections_NP
        return F.linear(F.normalize(projections_NP, dim=1), F.normalize(self.last, dim=1))
