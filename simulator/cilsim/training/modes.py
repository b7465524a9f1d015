"""Which modules train, which are frozen, and which draw random numbers."""

from __future__ import annotations

from collections.abc import Iterable

from torch import nn

from cilsim.data.layout import with_layout

RANDOM_LAYERS = (
    nn.Dropout,
    nn.Dropout1d,
    nn.Dropout2d,
    nn.Dropout3d,
    nn.AlphaDropout,
    nn.FeatureAlphaDropout,
    nn.RReLU,
    nn.MultiheadAttention,
)
BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.SyncBatchNorm)


def freeze(module: nn.Module) -> None:
    """Take `module` out of training: no gradients, and batch norm keeps its statistics."""
    module.requires_grad_(False)
    module.eval()


def train_mode(modules: Iterable[nn.Module]) -> None:
    """Put modules in train mode, but each part whose parameters are all frozen in eval mode."""
    for module in modules:
        if _is_frozen(module):
            module.eval()
        else:
            module.training = True
            train_mode(module.children())


def _is_frozen(module: nn.Module) -> bool:
    wants = [parameter.requires_grad for parameter in module.parameters()]
    return bool(wants) and not any(wants)


def set_layout(modules: Iterable[nn.Module], channels_last: bool) -> None:
    """Give convolution weights one memory layout, whatever an earlier training made of them.

    Rounding depends on the layout, so a resumed training must not inherit it by accident.
    """
    for module in modules:
        for parameter in module.parameters():
            if parameter.ndim == 4:
                parameter.data = with_layout(parameter.data, channels_last)


def keep_batch_statistics(modules: Iterable[nn.Module]) -> None:
    """Put every batch norm in eval mode: one image alone has no variance to normalise by."""
    for module in modules:
        for part in module.modules():
            if isinstance(part, BATCH_NORMS):
                part.eval()


def draws_random_numbers(modules: Iterable[nn.Module]) -> bool:
    """Return whether some layer of `modules` draws from torch's global generator."""
    return any(isinstance(part, RANDOM_LAYERS) for module in modules for part in module.modules())
