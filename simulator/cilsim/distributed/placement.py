"""Which of several processes this one is, as `torchrun` and `cilsim run --processes` tell it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from cilsim.errors import CilsimError

COUNT, RANK, LOCAL_RANK = "WORLD_SIZE", "RANK", "LOCAL_RANK"
ADDRESS, PORT = "MASTER_ADDR", "MASTER_PORT"
VARIABLES = (COUNT, RANK, LOCAL_RANK, ADDRESS, PORT)


@dataclass(frozen=True)
class Placement:
    """One of several processes.

    Attributes:
        rank: its number among all, from 0.
        count: how many there are.
        local_rank: its number among those of its machine, from 0; it has the GPU of that number.
    """

    rank: int
    count: int
    local_rank: int


def placement(environment: Mapping[str, str] = os.environ) -> Placement | None:
    """Return which process this is, or None if it was not started as one of several.

    Raises:
        CilsimError: a variable is no number, or they contradict each other.
    """
    if any(name not in environment for name in VARIABLES):
        return None
    count, rank, local_rank = (_number(environment, name) for name in (COUNT, RANK, LOCAL_RANK))
    if max(rank, local_rank) >= max(count, 1):
        raise CilsimError(
            f"environment: {RANK}={rank}, {LOCAL_RANK}={local_rank}, {COUNT}={count} - expected "
            f"numbers below {COUNT}, as torchrun sets them"
        )
    return Placement(rank, count, local_rank) if count > 1 else None


def _number(environment: Mapping[str, str], name: str) -> int:
    text = environment[name]
    if not text.isascii() or not text.isdigit():
        raise CilsimError(f"environment: {name}={text} - expected a number, as torchrun sets it")
    return int(text)
