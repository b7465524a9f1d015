"""Several processes, by torch's own collective operations: NCCL between GPUs, gloo for the rest."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor
from torch.distributed.distributed_c10d import PrefixStore, Store

from cilsim.distributed.placement import Placement
from cilsim.distributed.processes import Processes
from cilsim.errors import OutOfStep

PATIENCE = timedelta(days=7)
"""How long a process waits for the others, one of which may wait for another command's training.

One that has died is not waited for: its connections are closed.
"""

SECONDS_TO_FAIL = 10.0
"""A failure that comes to all processes comes to them within this time."""

SECONDS_TO_LEAVE = 30.0
"""How long a process waits for the first one to finish its files."""

SECONDS_TO_PART = 2.0
"""How long the first process waits for the others to take leave."""

_MOMENT = 0.02
_LEFT = "left"


class ProcessGroup(Processes):
    """The processes of one command, joined by a store that knows them.

    Args:
        place: which one this is.
        store: torch's key-value store that all are connected to.
        device: where this process computes; GPUs talk to each other by NCCL.
        why_lost: says what became of the process that does not answer any more.
    """

    def __init__(
        self,
        place: Placement,
        store: Store,
        device: torch.device,
        why_lost: Callable[[], str] | None = None,
    ) -> None:
        super().__init__(place.rank, place.count)
        self._store = store
        self._why_lost = why_lost or self._unknown
        self._broken = False
        with self._together():
            dist.init_process_group(
                "gloo",
                store=PrefixStore("group", store),
                rank=place.rank,
                world_size=place.count,
                timeout=PATIENCE,
            )
            self._between_gpus: Any = None
            if device.type == "cuda":
                torch.cuda.set_device(device)
                self._between_gpus = dist.new_group(backend="nccl", timeout=PATIENCE)

    def add_up(self, tensor: Tensor) -> None:
        """Replace a contiguous tensor by its sum over the processes, equal bits in each."""
        with self._together():
            dist.all_reduce(tensor, group=self._group(tensor))

    def gather(self, own: Tensor) -> Tensor:
        """Return (processes, ...) the tensors of all, in the order of their numbers."""
        found = own.new_empty(self.count, *own.shape)
        with self._together():
            dist.all_gather(list(found.unbind()), own.contiguous(), group=self._group(own))
        return found

    def spread(self, tensor: Tensor, source: int = 0) -> None:
        """Write the contiguous tensor of process `source` into that of every other one."""
        with self._together():
            dist.broadcast(tensor, source, group=self._group(tensor))

    def greatest(self, *numbers: int) -> list[int]:
        """Return the greatest of each number over the processes; waits for no device."""
        found = torch.tensor(numbers, dtype=torch.int64)
        with self._together():
            dist.all_reduce(found, dist.ReduceOp.MAX)
        return [int(number) for number in found]

    def of_first(self, content: bytes) -> bytes:
        """Return what the first process gave; what others give is ignored."""
        (size,) = self.greatest(len(content) if self.is_first else 0)
        found = torch.empty(size, dtype=torch.uint8)
        if self.is_first and size:
            found = torch.frombuffer(bytearray(content), dtype=torch.uint8)
        if size:
            self.spread(found)
        return content if self.is_first else found.numpy().tobytes()

    def all_failed(self, what: str) -> bool:
        """Return whether every process failed at `what`, within the seconds that they are given."""
        keys = [f"{what}/{rank}" for rank in range(self.count)]
        try:
            self._store.set(keys[self.rank], "failed")
            if not self._wait_for(keys, SECONDS_TO_FAIL):
                return False
            return all(self._store.get(key) == b"failed" for key in keys)
        except dist.DistError:  # the first process has ended, and told why
            return True

    def passed(self, what: str) -> None:
        """Note that this process has `what` behind it, for those that fail at it."""
        with self._together():
            self._store.set(f"{what}/{self.rank}", "passed")

    def leave(self) -> None:
        """Take leave of the others; the first process does so last, as it may keep the store."""
        others = [f"{_LEFT}/{rank}" for rank in range(1, self.count)]
        with suppress(dist.DistError):
            if self.is_first:
                self._store.set(_LEFT, "left")
                self._wait_for(others, SECONDS_TO_PART)
            else:
                self._wait_for([_LEFT], SECONDS_TO_LEAVE)
                self._store.set(f"{_LEFT}/{self.rank}", "left")
        if not self._broken:
            dist.destroy_process_group()
        del self._store  # its thread must not outlive the interpreter

    def _wait_for(self, keys: list[str], seconds: float) -> bool:
        """Return whether all keys are in the store within some time."""
        deadline = time.monotonic() + seconds
        while not self._store.check(keys):
            if time.monotonic() > deadline:
                return False
            time.sleep(_MOMENT)
        return True

    def _group(self, tensor: Tensor) -> Any:
        return self._between_gpus if tensor.device.type == "cuda" else None

    @contextmanager
    def _together(self) -> Iterator[None]:
        """Say in our words that a process which is waited for does not answer."""
        try:
            yield
        except RuntimeError as error:  # gloo has no class of its own for it
            self._broken = True
            raise OutOfStep(self._why_lost()) from error

    def _unknown(self) -> str:
        return f"another of the {self.count} processes has ended"
