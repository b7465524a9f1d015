"""What a process asks of those that it runs beside; alone, it has all answers itself.

Every process calls the same functions in the same order: each waits for the others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


class Processes:
    """This process alone. `cilsim.distributed.group` has the one for several.

    Attributes:
        rank: number of this process, from 0.
        count: how many there are.
    """

    def __init__(self, rank: int = 0, count: int = 1) -> None:
        self.rank = rank
        self.count = count

    @property
    def is_first(self) -> bool:
        """Whether this process writes the files and talks to the user."""
        return self.rank == 0

    def add_up(self, tensor: Tensor) -> None:
        """Replace a contiguous tensor by its sum over the processes, equal bits in each."""

    def gather(self, own: Tensor) -> Tensor:
        """Return (processes, ...) the tensors of all, in the order of their numbers."""
        return own[None]

    def spread(self, tensor: Tensor, source: int = 0) -> None:
        """Write the contiguous tensor of process `source` into that of every other one."""

    def greatest(self, *numbers: int) -> list[int]:
        """Return the greatest of each number over the processes; waits for no device."""
        return list(numbers)

    def of_first(self, content: bytes) -> bytes:
        """Return what the first process gave; what others give is ignored."""
        return content

    def all_failed(self, what: str) -> bool:
        """Return whether every process failed at `what`, within the seconds that they are given."""
        return True

    def passed(self, what: str) -> None:
        """Note that this process has `what` behind it, for those that fail at it."""

    def leave(self) -> None:
        """Take leave of the others; the first process does so last."""


ALONE = Processes()
