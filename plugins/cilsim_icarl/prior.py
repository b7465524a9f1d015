"""Where the outputs of new classes begin."""

from __future__ import annotations

import math

import torch

from cilsim.training.head import Head


@torch.no_grad()
def start_at_prior(head: Head, new: range) -> None:
    """Lower the biases of new outputs so that their sigmoids begin near 1 / K, not near 1 / 2.

    K is the number of classes seen; a cosine head has no bias and stays. Lin et al. 2017, "Focal
    Loss for Dense Object Detection", section 3.3.

    Args:
        head: opened for the new classes.
        new: their labels.
    """
    if head.bias is not None and head.seen > 1:
        head.bias[new.start : new.stop] -= math.log(head.seen - 1)
