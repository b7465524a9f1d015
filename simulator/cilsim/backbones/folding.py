"""Batch norms taken into the convolutions before them, for a network that is not being trained.

In eval mode a batch norm multiplies each channel by a constant and adds one; the convolution that
it follows can do both. A pass over the images is saved for each, and results differ by rounding.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterator

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_weights

Names = tuple[str, str]
Layers = tuple[nn.Conv2d, nn.BatchNorm2d]


def folded(network: nn.Module) -> nn.Module:
    """Return a network that computes in eval mode what `network` does, itself if nothing folds.

    Each module of a network may say in `folds` which of its convolutions are followed by a batch
    norm and read by nothing else: pairs of names, such as `("conv1", "bn1")`. The result shares
    every other parameter and all hooks with `network`, which is left alone; it does not follow
    later changes of the weights that were folded.
    """
    if not _count(network):
        return network
    result = _sharing(network)
    for part in list(result.modules()):
        for (convolution, norm), layers in list(_pairs(part)):
            _put(part, convolution, _merged(*layers))
            _put(part, norm, nn.Identity())
    return result.eval()


class LastFolded:
    """The folded form of one network, kept until another one or other weights are asked for.

    Folding takes a part of the time of few images.
    """

    def __init__(self) -> None:
        self._about: tuple[weakref.ref[nn.Module], str, int] | None = None
        self._network: nn.Module | None = None

    def get(self, network: nn.Module, version: str) -> nn.Module:
        """Return `folded(network)`.

        Args:
            network: a backbone.
            version: its `fingerprint`.
        """
        count = _count(network)
        if not count:
            return network
        about = (weakref.ref(network), version, count)
        if self._network is None or self._about != about:
            self._about, self._network = about, folded(network)
        return self._network


def _count(network: nn.Module) -> int:
    """Return how many batch norms can be folded now: fewer once somebody watches one."""
    return sum(1 for part in network.modules() for _ in _pairs(part))


def _pairs(part: nn.Module) -> Iterator[tuple[Names, Layers]]:
    """Yield the pairs that a module names, as far as they are there and can be folded."""
    for names in getattr(part, "folds", ()):
        try:
            first, second = map(part.get_submodule, names)
        except AttributeError:  # such as a shortcut without parameters
            continue
        if not isinstance(first, nn.Conv2d) or not isinstance(second, nn.BatchNorm2d):
            continue
        if second.running_mean is not None and not (_is_watched(first) or _is_watched(second)):
            yield names, (first, second)


def _is_watched(part: nn.Module) -> bool:
    """Return whether somebody sees or changes what passes through a module."""
    return bool(part._forward_hooks or part._forward_pre_hooks)


@torch.no_grad()
def _merged(convolution: nn.Conv2d, norm: nn.BatchNorm2d) -> nn.Module:
    """Return the convolution that does the batch norm's work too, without gradients."""
    merged, moments = _sharing(convolution), dict(norm.named_buffers())
    weight, bias = fuse_conv_bn_weights(
        convolution.weight, convolution.bias, moments["running_mean"], moments["running_var"],
        norm.eps, norm.weight, norm.bias,
    )  # fmt: skip
    parameters = {"weight": weight, "bias": bias}
    merged.__dict__["_parameters"] = {
        name: parameter.requires_grad_(False) for name, parameter in parameters.items()
    }
    return merged


def _put(part: nn.Module, name: str, layer: nn.Module) -> None:
    owner, _, last = name.rpartition(".")
    setattr(part.get_submodule(owner), last, layer)


def _sharing(module: nn.Module) -> nn.Module:
    """Return a module with the same parameters, buffers and hooks, but submodules of its own."""
    twin = module.__new__(type(module))
    twin.__dict__.update(module.__dict__)
    twin.__dict__["_modules"] = {
        name: None if part is None else _sharing(part) for name, part in module._modules.items()
    }
    return twin
