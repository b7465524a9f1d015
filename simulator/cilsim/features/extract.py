"""Features of a part, each independent of its neighbours and of when it was extracted.

A convolution gives the same bits for an image in any chunk of the same size, but not for other
sizes, weight layouts or thread counts. So the chunk follows from the images alone, its tail is
padded, and the layout is set here rather than left to what the last training made of the weights.

Axis letters: N samples, B chunk, C channels, H W pixels, D features.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call

from cilsim.backbones.folding import folded
from cilsim.data.batch_reading import consecutive
from cilsim.data.layout import with_layout
from cilsim.data.normalise import prepare
from cilsim.data.samples import Samples
from cilsim.features.chunks import chunk_for
from cilsim.naming import did_you_mean
from cilsim.training.precision import autocast

EXTRACTION_VERSION = 2
"""Raised when a change of the code changes the bits of features; stored ones are then made anew."""

Allocate = Callable[[int, int, torch.device], Tensor]
"""Returns an uninitialised (N, D) float32 tensor on a device."""


@dataclass
class ForwardCounter:
    """How many samples went through a backbone; padding is not counted."""

    images: int = 0


def plain(x: Tensor) -> Tensor:
    """Return the samples themselves."""
    return x


def mirror(images_BCHW: Tensor) -> Tensor:
    """Return images mirrored left and right."""
    return images_BCHW.flip(3)


VIEWS: Mapping[str, Callable[[Tensor], Tensor]] = {"plain": plain, "mirror": mirror}
"""How stored samples are changed before they are cropped and normalised."""


def extract(
    backbone: nn.Module,
    samples: Samples,
    *,
    chunk: int | None = None,
    precision: str = "float32",
    view: str = "plain",
    channels_last: bool = True,
    counter: ForwardCounter | None = None,
    allocate: Allocate | None = None,
) -> Tensor:
    """Return (N, D) float32 features under the test transform, on the backbone's device.

    Batch norms are folded into convolutions where the backbone says how (`folded`), which changes
    features by rounding. Modes of the backbone's parts are put back; nothing is drawn from a
    random generator.

    Args:
        backbone: maps normalised samples (B, ...) to features (B, D).
        samples: the part.
        chunk: samples per forward pass; None takes what `chunk_for` says.
        precision: `float32`, `bf16` or `fp16`; the result is float32 in any case.
        view: a name in `VIEWS`.
        channels_last: memory layout of images and, for the computation, of weights.
        counter: told how many samples were forwarded.
        allocate: gives the memory of the result, by default that of the device.

    Raises:
        ValueError: the view does not exist or is not for features, or the backbone did not return
            one row of features per sample.
    """
    backbone, device = folded(backbone), device_of(backbone, samples)
    chunk = chunk or chunk_for(backbone, samples, device)
    change, allocate = _view(view, samples), allocate or in_memory
    features_ND: Tensor | None = None
    forward, start = in_layout(backbone, channels_last), 0
    with evaluating(backbone), torch.inference_mode(), autocast(precision, device):
        for x in consecutive(samples.x, chunk, device, padded=True):
            rows_BD = forward(prepare(change(x), samples, channels_last=channels_last))
            if features_ND is None:
                _check(rows_BD, chunk)
                features_ND = allocate(len(samples), rows_BD.shape[1], device)
            stop = min(start + chunk, len(samples))
            features_ND[start:stop].copy_(rows_BD[: stop - start])
            start = stop
    if counter is not None:
        counter.images += len(samples)
    if features_ND is None:
        feature_size: Any = backbone.feature_size
        return allocate(0, feature_size, device)
    return features_ND


def _view(name: str, samples: Samples) -> Callable[[Tensor], Tensor]:
    if name not in VIEWS:
        raise ValueError(f"no view is named '{name}'{did_you_mean(name, VIEWS)}")
    if samples.are_features and name != "plain":
        raise ValueError(f"view '{name}' is for images, these samples are features")
    return VIEWS[name]


def device_of(backbone: nn.Module, samples: Samples) -> torch.device:
    """Return where the backbone computes: where its parameters are or, without any, the samples."""
    parameter = next(backbone.parameters(), None)
    return samples.device if parameter is None else parameter.device


@contextmanager
def evaluating(module: nn.Module) -> Iterator[None]:
    """Put a module in eval mode inside the block, and each part back as it was after it."""
    training = [part for part in module.modules() if part.training]
    module.eval()
    try:
        yield
    finally:
        for part in training:
            part.training = True


def in_layout(backbone: nn.Module, channels_last: bool) -> Callable[[Tensor], Tensor]:
    """Return the forward pass with convolution weights in one layout, whatever theirs is.

    Rounding depends on the layout, and training or loading may have changed it.
    """
    convolutions = {
        name: weight.detach() for name, weight in backbone.named_parameters() if weight.ndim == 4
    }
    fixed = {name: with_layout(weight, channels_last) for name, weight in convolutions.items()}
    if all(fixed[name] is weight for name, weight in convolutions.items()):
        return backbone  # the usual case: nothing to put in their place at every call
    return lambda x: functional_call(backbone, fixed, (x,))


def _check(rows_BD: Tensor, chunk: int) -> None:
    if rows_BD.ndim != 2 or rows_BD.shape[0] != chunk:
        raise ValueError(
            f"the backbone returned features of shape {tuple(rows_BD.shape)} "
            f"for {chunk} samples, expected ({chunk}, D)"
        )


def in_memory(count: int, feature_size: int, device: torch.device) -> Tensor:
    """Return uninitialised (N, D) float32 memory of the device."""
    # a normal tensor: one made in inference mode could not be trained on
    with torch.inference_mode(False):
        return torch.empty(count, feature_size, dtype=torch.float32, device=device)
