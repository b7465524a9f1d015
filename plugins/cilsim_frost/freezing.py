"""Which parameters of a backbone the stages after the base leave as they are."""

from __future__ import annotations

from collections.abc import Iterable

from torch import nn

from cilsim.naming import did_you_mean


def begins_with(name: str, prefixes: tuple[str, ...]) -> bool:
    """Return whether a parameter is, or lies within, one of the parts named."""
    return any(name == prefix or name.startswith(f"{prefix}.") for prefix in prefixes)


def prefix_complaint(backbone: nn.Module, prefixes: tuple[str, ...]) -> str | None:
    """Return one line on the first prefix that names no parameter, or None."""
    names = [name for name, _ in backbone.named_parameters()]
    parts = list(dict.fromkeys(name.partition(".")[0] for name in names))
    for prefix in prefixes:
        if not any(begins_with(name, (prefix,)) for name in names):
            return f"frozen_prefixes: no parameter is in '{prefix}'{did_you_mean(prefix, parts)}"
    return None


def trained_parameters(
    backbone: nn.Module, heads: Iterable[nn.Module | None], prefixes: tuple[str, ...]
) -> list[nn.Parameter]:
    """Return the parameters of backbone and heads without those that stay as they are."""
    trained = [
        value for name, value in backbone.named_parameters() if not begins_with(name, prefixes)
    ]
    return [*trained, *(value for head in heads if head is not None for value in head.parameters())]


def drop_gradients(backbone: nn.Module, prefixes: tuple[str, ...]) -> None:
    """Forget the gradients of what stays as it is, which no optimiser would."""
    for name, value in backbone.named_parameters():
        if begins_with(name, prefixes):
            value.grad = None
