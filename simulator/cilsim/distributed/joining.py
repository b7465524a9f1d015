"""Joining the processes of a command, by the address that each finds in its environment."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from socket import socket

import torch
from torch._C._distributed_c10d import TCPStore
from torch.distributed.distributed_c10d import Store
from torch.distributed.rendezvous import rendezvous

from cilsim.distributed.group import ProcessGroup
from cilsim.distributed.placement import Placement
from cilsim.errors import CilsimError, OutOfStep

PATIENCE = timedelta(minutes=5)
"""How long the processes of a command may take to start."""


def join(
    place: Placement,
    device: torch.device,
    *,
    listening: socket | None = None,
    why_lost: Callable[[], str] | None = None,
) -> ProcessGroup:
    """Return the processes, once all of them are here.

    Args:
        place: which one this is.
        device: where it computes.
        listening: a socket that the others know and nobody has a store at yet; None if the address
            is in the environment.
        why_lost: see `ProcessGroup`.

    Raises:
        OutOfStep: the others did not come.
    """
    try:
        return ProcessGroup(place, _store(place, listening), device, why_lost)
    except RuntimeError as error:
        raise OutOfStep(
            f"the {place.count} processes did not all meet within {PATIENCE.seconds // 60} minutes"
        ) from error


def device_of(place: Placement, wanted: str) -> str:
    """Return the device of one of several processes; each has a GPU of its own, if there is any.

    Args:
        place: which one it is.
        wanted: `auto`, `cpu`, `cuda` or, as a manifest has it, `cuda:0`.

    Raises:
        CilsimError: the device is none that processes can share out, or there are too few GPUs.
    """
    gpus = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if wanted == "cpu" or (wanted == "auto" and not gpus):
        return "cpu"
    if wanted not in ("auto", "cuda", "cuda:0"):
        raise CilsimError(
            f"--device {wanted}: several processes are on 'cpu' or on 'cuda', a GPU for each"
        )
    if place.local_rank >= gpus:
        raise CilsimError(
            f"--device {wanted}: process {place.local_rank} of this machine has no GPU of its "
            f"own, there are {gpus}; start as many processes as there are GPUs, or try --device cpu"
        )
    return f"cuda:{place.local_rank}"


def _store(place: Placement, listening: socket | None) -> Store:
    if listening is None:
        store, _, _ = next(rendezvous("env://", place.rank, place.count, timeout=PATIENCE))
        found: Store = store
        return found
    host, port = listening.getsockname()
    return TCPStore(
        host,
        port,
        place.count,
        is_master=True,
        timeout=PATIENCE,
        wait_for_workers=False,
        master_listen_fd=listening.fileno(),
    )
