"""Scores of a revived model for new samples.

Axis letters: N samples, B batch, K classes.
"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from typing import Any

import numpy as np
import torch
from torch import Tensor

from cilsim.data.batch_reading import across, consecutive
from cilsim.data.normalise import prepare
from cilsim.data.samples import Samples
from cilsim.deploy.stored_model import InputFacts
from cilsim.runner.run import Run


@torch.inference_mode()
def scores_of(run: Run, x: Any, given: InputFacts) -> Tensor:
    """Return (N, K) scores as the evaluation of the run computes them, on the CPU.

    Hooks of plugins and calibrators take part.

    Args:
        run: a revived run.
        x: (N, C, side, side) uint8 images or (N, D) float32 features.
        given: what the model says of its samples.
    """
    samples, seen = _samples(run, x, given), run.context.seen_classes
    found = [torch.empty(0, seen)]
    for batch in _batches(run, samples):
        run.evaluator.expectations.shape = (len(batch), seen)
        scores_BK = run.hook.cilsim_scores(run=run.info, strategy=run.strategy, features=batch)
        found.append(scores_BK.cpu())
    return torch.cat(found)


def _samples(run: Run, x: Any, given: InputFacts) -> Samples:
    array = np.ascontiguousarray(x)
    return Samples(
        x=torch.from_numpy(array).to(run.context.device),
        labels=None,
        index=torch.arange(len(array)),
        digest=sha256(array.data).hexdigest(),
        mean=given.mean,
        std=given.std,
        crop=given.crop,
    )


def _batches(run: Run, samples: Samples) -> Iterator[Tensor]:
    size = run.evaluator.batch_size
    if run.strategy.scores_images:
        for images in consecutive(samples.x, size, samples.device):
            yield prepare(images, samples)
    else:
        yield from across([run.context.features(samples)], size)
