"""What is stored of a class: its mean feature in each rotation.

Axis letters: N samples, K classes times rotations, D features.
"""

from __future__ import annotations

import torch
from torch import Tensor

from cilsim import Context, Experience
from cilsim.prototypes.means import class_means
from cilsim.scenario.recipe import Augmentation


def rotation_means(
    context: Context, experience: Experience, augmentation: Augmentation, rotations: int
) -> Tensor:
    """Return (K new, D) means of the new classes, in the order class * rotations + rotation.

    Args:
        context: the strategy's; its backbone as it is now.
        experience: whose labelled samples.
        augmentation: drawn once per image; all rotations show the same augmented image.
        rotations: 1 or 4.
    """
    samples, means = experience.labelled, []
    assert samples.labels is not None  # `labelled` never returns a part without labels
    for turns in range(rotations):
        features_ND = context.augmented_features(samples, augmentation, quarter_turns=turns)
        means.append(class_means(features_ND, samples.labels, experience.new_labels))
    return torch.stack(means, dim=1).flatten(0, 1)
