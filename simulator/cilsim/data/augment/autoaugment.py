"""AutoAugment as FACT's and TEEN's released code applies it, on whole batches.

Cubuk et al., "AutoAugment: Learning Augmentation Strategies from Data", CVPR 2019. Beside the
tables (`policies.py`) that code differs from torchvision's in what it fills with (grey 128, not
black), in rotation (never clockwise), shear (bicubic) and solarize (threshold from 256).

Axis letters: B batch, N images that drew an operation, C channels, H W pixels, S sub-policies.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cilsim.data.augment import geometry, pixels
from cilsim.data.augment.policies import MAGNITUDES, POLICIES, SIGNED
from cilsim.data.transfer import sent

DRAWS = 5
"""Uniform numbers per image: sub-policy, then for each of its two operations whether it is applied
and its sign."""

OPERATIONS: Mapping[str, Callable[[Tensor, NDArray[np.float64]], Tensor]] = {
    "shear_x": geometry.shear_x,
    "shear_y": geometry.shear_y,
    "translate_x": geometry.translate_x,
    "translate_y": geometry.translate_y,
    "rotate": geometry.rotate,
    "colour": pixels.colour,
    "contrast": pixels.contrast,
    "brightness": pixels.brightness,
    "sharpness": pixels.sharpness,
    "posterize": pixels.posterize,
    "solarize": pixels.solarize,
    "autocontrast": pixels.autocontrast,
    "equalize": pixels.equalize,
    "invert": pixels.invert,
}
"""Each takes uint8 images (N, C, H, W) and one magnitude per image, and returns uint8 images."""

_NAMES = tuple(OPERATIONS)


def autoaugment(images_BCHW: Tensor, policy: str, uniform_PB: Tensor) -> Tensor:
    """Return uint8 images, each after one sub-policy of the policy.

    Args:
        images_BCHW: uint8 images.
        policy: a name in `POLICIES`.
        uniform_PB: (5, B) uniform numbers on the CPU, so that no choice waits for the device.
    """
    uniform = uniform_PB.double().numpy()
    sub_policy_B = (uniform[0] * len(POLICIES[policy])).astype(np.int64)
    images_BCHW = images_BCHW.clone(memory_format=torch.contiguous_format)
    for stage in range(2):
        applied, signs = uniform[1 + 2 * stage], uniform[2 + 2 * stage]
        table_S = _stage(policy, stage)
        operation_B = np.where(
            applied < table_S["probability"][sub_policy_B],
            table_S["operation"][sub_policy_B],
            -1,
        )
        bin_B = table_S["bin"][sub_policy_B]
        for number in range(len(_NAMES)):
            rows_N = np.flatnonzero(operation_B == number)
            if len(rows_N):
                _apply(images_BCHW, number, rows_N, bin_B[rows_N], signs[rows_N])
    return images_BCHW


def _apply(
    images_BCHW: Tensor,
    number: int,
    rows_N: NDArray[np.int64],
    bin_N: NDArray[np.int64],
    uniform_N: NDArray[np.float64],
) -> None:
    """Change the images of the batch that drew an operation."""
    name = _NAMES[number]
    magnitude_N = np.array(MAGNITUDES[name])[bin_N]
    if name in SIGNED:
        magnitude_N = np.where(uniform_N < 0.5, -magnitude_N, magnitude_N)
    index_N = sent(torch.from_numpy(rows_N), images_BCHW.device)
    changed_NCHW = OPERATIONS[name](images_BCHW.index_select(0, index_N), magnitude_N)
    images_BCHW.index_copy_(0, index_N, changed_NCHW)


@lru_cache(maxsize=8)
def _stage(policy: str, stage: int) -> dict[str, NDArray[Any]]:
    """Return number of the operation, probability and bin of each sub-policy, (S,) each."""
    steps = [sub_policy[stage] for sub_policy in POLICIES[policy]]
    return {
        "operation": np.array([_NAMES.index(step.operation) for step in steps]),
        "probability": np.array([step.probability for step in steps]),
        "bin": np.array([step.bin for step in steps]),
    }
