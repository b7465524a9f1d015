"""Buffers that are smaller than a batch: an error, where Avalanche's loops would never end."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from avalanche.training.supervised import der, er_ace, er_aml, feature_replay

from cilsim.errors import RunFailed

_MODULES = (der, er_ace, er_aml, feature_replay)
"""They go round and round a loader that drops its last, smaller batch."""


@contextmanager
def no_endless_loop(name: str) -> Iterator[None]:
    """Let a strategy fail inside the block where its buffer cannot fill a single batch.

    Args:
        name: of the strategy, for the message.

    Raises:
        RunFailed: that is so.
    """
    before = [(module, module.cycle) for module in _MODULES]
    for module in _MODULES:
        module.cycle = _cycle(name)
    try:
        yield
    finally:
        for module, cycle in before:
            module.cycle = cycle


def _cycle(name: str) -> Callable[[Any], Iterator[Any]]:
    def cycle(loader: Iterable[Any]) -> Iterator[Any]:
        while True:
            batch = None
            for batch in loader:
                yield batch
            if batch is None:
                raise RunFailed(
                    f"strategy 'avalanche': {name} draws batches from a buffer that is smaller "
                    "than one - expected a larger 'mem_size', or smaller batches"
                )

    return cycle
