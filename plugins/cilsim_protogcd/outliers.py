"""How much a sample looks like none of the classes, from its cosines; higher is more of an outlier.

Axis letters: N samples, K classes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import torch
import torch.nn.functional as F
from torch import Tensor

from cilsim_protogcd.losses import confidence

TEMPERATURE = 0.1

SCORES: Mapping[str, Callable[[Tensor], Tensor]] = MappingProxyType(
    {
        "msp": lambda cosine_NK: -F.softmax(cosine_NK / TEMPERATURE, dim=1).amax(1),
        "mls": lambda cosine_NK: -cosine_NK.amax(1),
        "energy": lambda cosine_NK: -torch.logsumexp(cosine_NK, dim=1),
        "xent": lambda cosine_NK: (
            (cosine_NK / TEMPERATURE).mean(1) - torch.logsumexp(cosine_NK / TEMPERATURE, dim=1)
        ),
        "ratio": lambda cosine_NK: -confidence(F.softmax(cosine_NK / TEMPERATURE, dim=1)),
        "margin": lambda cosine_NK: -_margin(F.softmax(cosine_NK / TEMPERATURE, dim=1)),
    }
)
"""Scores of the released outlier tests: maximum softmax probability, maximum logit, energy, uniform
cross-entropy, ratio (`proto` there) and margin of the two largest probabilities."""


def _margin(probabilities_NK: Tensor) -> Tensor:
    top_N2 = probabilities_NK.topk(min(2, probabilities_NK.shape[1]), dim=1).values
    return top_N2[:, 0] - top_N2[:, -1]
