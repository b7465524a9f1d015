"""Features that the first of several processes keeps on its disk, handed to all of them.

Axis letters: N samples, D features.
"""

from __future__ import annotations

import json

import torch
from torch import Tensor

from cilsim.distributed.processes import Processes
from cilsim.features.extract import in_memory
from cilsim.features.kept import Place
from cilsim.features.scratch import on_disk
from cilsim.features.shards import FeatureShards

HOST = torch.device("cpu")


class SharedShards:
    """Does what `FeatureShards` does, for every process, with the disk of the first one.

    Attributes:
        shards: of the first process; others do not touch theirs.
        processes: who asks.
        mapped_bytes: features that take more are mapped from the disk.
    """

    def __init__(self, shards: FeatureShards, processes: Processes, mapped_bytes: int) -> None:
        self.shards = shards
        self.processes = processes
        self.mapped_bytes = mapped_bytes

    def get(self, place: Place) -> Tensor | None:
        """Return (N, D) features on the CPU, or None if the first process has none."""
        first = self.processes.is_first
        found_ND = self.shards.get(place) if first else None
        known = [] if found_ND is None else list(found_ND.shape)
        shape = json.loads(self.processes.of_first(json.dumps(known).encode()))
        if not shape:
            return None
        if found_ND is None:
            allocate = on_disk if 4 * shape[0] * shape[1] > self.mapped_bytes else in_memory
            found_ND = allocate(shape[0], shape[1], HOST)
        self.processes.spread(found_ND)
        return found_ND

    def put(self, place: Place, features_ND: Tensor) -> None:
        """Keep features until they are written; nobody may write into them before."""
        if self.processes.is_first:
            self.shards.put(place, features_ND)

    def flush(self) -> None:
        """Write what waits; if that is impossible, a warning is logged."""
        if self.processes.is_first:
            self.shards.flush()
