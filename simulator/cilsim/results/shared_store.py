"""States that the first of several processes keeps on its disk, handed to all of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor

from cilsim.distributed.processes import Processes
from cilsim.results.cache import ContentStore
from cilsim.results.packing import pack_state, unpack_state


class SharedStore:
    """Does what `ContentStore` does with states, for every process, with the disk of the first.

    Args:
        store: of the first process; others do not touch theirs.
        processes: who asks.
    """

    def __init__(self, store: ContentStore, processes: Processes) -> None:
        self._store = store
        self._processes = processes

    def get(self, kind: str, key: str) -> dict[str, Any] | None:
        """Return the state under `key`, its tensors on the CPU, or None."""
        if self._processes.is_first:
            state = self._store.get(kind, key)
            self._send(state)
            return state
        return self._receive()

    def put(self, kind: str, key: str, state: Mapping[str, Any], facts: Mapping[str, Any]) -> None:
        """Store a state."""
        if self._processes.is_first:
            self._store.put(kind, key, state, facts)

    def making(self, kind: str, key: str) -> AbstractContextManager[None]:
        """Return a block in which no other command makes the state; the first process holds it."""
        return self._store.making(kind, key) if self._processes.is_first else nullcontext()

    def _send(self, state: Mapping[str, Any] | None) -> None:
        if state is None:
            self._processes.of_first(b"null")
            return
        tensors, plain = pack_state(state)
        listed = [
            [name, _name(tensor.dtype), list(tensor.shape)] for name, tensor in tensors.items()
        ]
        self._processes.of_first(json.dumps({"plain": plain, "tensors": listed}).encode())
        for tensor in tensors.values():
            self._processes.spread(tensor)

    def _receive(self) -> dict[str, Any] | None:
        told = json.loads(self._processes.of_first(b""))
        if told is None:
            return None
        tensors: dict[str, Tensor] = {}
        for name, dtype, shape in told["tensors"]:
            tensors[name] = torch.empty(shape, dtype=getattr(torch, dtype))
            self._processes.spread(tensors[name])
        state: dict[str, Any] = unpack_state(tensors, told["plain"])
        return state


def _name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")
