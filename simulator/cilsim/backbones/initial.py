"""The backbone that a run starts with: random weights or given ones, to be trained or frozen."""

from __future__ import annotations

from collections.abc import Callable

import torch

from cilsim.backbones.backbone import Backbone, build_empty, build_on_cpu
from cilsim.backbones.pretrained import PretrainedOptions
from cilsim.backbones.weight_files import read_weights, weights_file
from cilsim.backbones.weight_fitting import load_weights


def initial(
    name: str,
    options: PretrainedOptions,
    make: Callable[[], Backbone],
    generator: torch.Generator,
) -> Backbone:
    """Return the backbone that `make` builds, on the CPU.

    Args:
        name: as in a scenario, for messages.
        options: where weights come from, and whether they stay as they are.
        make: builds the module.
        generator: draws the weights if none are given.

    Raises:
        DataError: the file of weights is missing and cannot be fetched.
        CheckpointError: it is damaged or does not fit.
    """
    path = weights_file(options)
    if path is None:
        backbone = build_on_cpu(make, generator)
    else:
        backbone = build_empty(make)
        load_weights(backbone, read_weights(path), f"backbone '{name}': weights '{path}'")
    if options.frozen:
        backbone.requires_grad_(False)
    return backbone
