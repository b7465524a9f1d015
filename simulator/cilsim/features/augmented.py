"""Features of training images as training sees them: augmented, and turned if asked for.

Axis letters: N samples, B chunk, C channels, H W pixels, D features.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from cilsim.data.augment import augment
from cilsim.data.batch_reading import consecutive
from cilsim.data.layout import with_layout
from cilsim.data.samples import Samples
from cilsim.features.chunks import chunk_for
from cilsim.features.extract import device_of, evaluating, in_layout
from cilsim.scenario.recipe import Augmentation
from cilsim.seeding import derive_seed


def augmented_features(
    backbone: nn.Module,
    samples: Samples,
    augmentation: Augmentation,
    seed_path: tuple[int | str, ...],
    *,
    quarter_turns: int = 0,
) -> Tensor:
    """Return (N, D) float32 features of augmented images, in eval mode.

    Each image is drawn once. The draws depend on `seed_path` and the position alone, so that
    calls with other `quarter_turns` see the same augmented images, turned.

    Args:
        backbone: maps normalised samples (B, ...) to features (B, D).
        samples: at least one; ready features pass the augmentation unchanged.
        augmentation: what to do with each image.
        seed_path: start of the position that the draws are derived from.
        quarter_turns: counter-clockwise, after the augmentation; images only.
    """
    device = device_of(backbone, samples)
    rows, chunk = [], chunk_for(backbone, samples, device)
    forward = in_layout(backbone, channels_last=True)
    with evaluating(backbone), torch.no_grad():
        for number, x in enumerate(consecutive(samples.x, chunk, device)):
            generator = torch.Generator().manual_seed(derive_seed(*seed_path, number * chunk))
            x = augment(
                x, augmentation, generator, samples.mean, samples.std,
                crop=samples.crop, channels_last=True,
            )  # fmt: skip
            if quarter_turns:
                x = with_layout(x.rot90(quarter_turns, (2, 3)), channels_last=True)
            rows.append(forward(x).float())
    return torch.cat(rows)
