"""Extraction dealt out to several processes: each sample passes the backbone of one of them.

Each process has consecutive chunks of the size that one process alone would use, so that features
have the same bits.

Axis letters: N samples, D features.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from cilsim.data.host_rows import HostRows
from cilsim.data.memory import is_out_of_memory
from cilsim.data.samples import Samples
from cilsim.distributed.processes import Processes
from cilsim.errors import RunFailed
from cilsim.features.extract import Allocate, extract

_DONE, _NO_MEMORY, _FAILED = range(3)


def blocks(count: int, chunk: int, processes: int) -> list[slice]:
    """Return which of `count` samples each process extracts: whole chunks, but for the last one.

    A process may have none.
    """
    chunks = -(-count // chunk)
    stops = [min(count, chunk * -(-chunks * (rank + 1) // processes)) for rank in range(processes)]
    return [slice(start, stop) for start, stop in zip([0, *stops], stops, strict=False)]


def extract_dealt(
    backbone: nn.Module,
    samples: Samples,
    processes: Processes,
    *,
    chunk: int,
    allocate: Allocate,
    device: torch.device,
    **how: Any,
) -> Tensor:
    """Return (N, D) float32 features of which each process has extracted its block.

    Args:
        backbone: the same in all processes.
        samples: the part.
        processes: among which it is dealt out.
        chunk: samples per forward pass.
        allocate: gives the memory of the result.
        device: of the backbone.
        **how: see `extract`.

    Raises:
        MemoryError: some process had no memory for such a chunk.
        RunFailed: another process could not extract its block.
    """
    dealt = blocks(len(samples), chunk, processes.count)
    own = dealt[processes.rank]
    state, error, own_ND = _DONE, None, None
    try:
        if own.stop > own.start:
            own_ND = extract(backbone, _part(samples, own), chunk=chunk, **how)
    except Exception as found:  # raised again as soon as the others know
        error, state = found, _NO_MEMORY if is_out_of_memory(found) else _FAILED
    worst, width = processes.greatest(state, 0 if own_ND is None else own_ND.shape[1])
    if worst > state:
        error = _of_another(worst)
    if error is not None:
        raise error
    if not width:
        declared: Any = backbone.feature_size
        width = int(declared)
    features_ND = allocate(len(samples), width, device)
    if own_ND is not None:
        features_ND[own].copy_(own_ND)
    for rank, block in enumerate(dealt):
        if block.stop > block.start:
            processes.spread(features_ND[block], rank)
    return features_ND


def _of_another(state: int) -> Exception:
    if state == _NO_MEMORY:
        return MemoryError("another process has no memory for the chunk")
    return RunFailed("features: another process could not extract its share")


def _part(samples: Samples, rows: slice) -> Samples:
    """Return consecutive samples without their labels, read no sooner than the part itself."""
    x = samples.x
    if isinstance(x, HostRows):
        cut: Any = HostRows(x.array_A, x.position_N[rows], x.device)
    else:
        cut = x[rows]
    return replace(samples, x=cut, labels=None, index=samples.index[rows])
