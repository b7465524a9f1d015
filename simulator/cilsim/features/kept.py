"""Features that are kept for reuse within a command, the least recently used dropped first.

Axis letters: N samples, D features.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from torch import Tensor

Place = tuple[str, str]
"""What features depend on besides the samples, and the digest of the samples."""


@dataclass(frozen=True)
class Kept:
    """Features of one part.

    Attributes:
        features: (N, D), as they were handed out.
        revision: torch's count of changes in place, as it was then.
        mapped: whether they lie on the disk and only pass through memory.
    """

    features: Tensor
    revision: int
    mapped: bool

    @property
    def unchanged(self) -> bool:
        """Whether nobody has written into them since."""
        return self.features._version == self.revision


class KeptFeatures:
    """Features by place, bounded apart in memory and on the disk.

    Attributes:
        memory_limit_bytes: of those in memory.
        disk_limit_bytes: of those that are mapped.
    """

    def __init__(self, memory_limit_bytes: int, disk_limit_bytes: int) -> None:
        self.memory_limit_bytes = memory_limit_bytes
        self.disk_limit_bytes = disk_limit_bytes
        self._kept: OrderedDict[Place, Kept] = OrderedDict()
        self._bytes = {True: 0, False: 0}  # by whether they are mapped

    def get(self, place: Place) -> Tensor | None:
        """Return what is kept, unless it was changed in place; it is the last to be dropped."""
        kept = self._kept.get(place)
        if kept is None:
            return None
        if not kept.unchanged:
            self._drop(place)
            return None
        self._kept.move_to_end(place)
        return kept.features

    def add(self, place: Place, features_ND: Tensor, *, mapped: bool) -> None:
        """Keep features, unless they alone exceed the limit."""
        limit = self.disk_limit_bytes if mapped else self.memory_limit_bytes
        if features_ND.nbytes > limit:
            return
        if place in self._kept:
            self._drop(place)
        self._kept[place] = Kept(features_ND, features_ND._version, mapped)
        self._bytes[mapped] += features_ND.nbytes
        while self._bytes[mapped] > limit:
            self._drop(next(old for old, kept in self._kept.items() if kept.mapped == mapped))

    def bytes_kept(self, *, mapped: bool) -> int:
        """Return the bytes that are kept now, on the disk or in memory."""
        return self._bytes[mapped]

    def clear(self) -> None:
        """Forget everything."""
        self._kept.clear()
        self._bytes = {True: 0, False: 0}

    def _drop(self, place: Place) -> None:
        dropped = self._kept.pop(place)
        self._bytes[dropped.mapped] -= dropped.features.nbytes
