"""How features that are not known yet come about: here or dealt out, in memory or on the disk.

Axis letters: N samples, D features.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from cilsim.backbones.folding import LastFolded
from cilsim.data.samples import Samples
from cilsim.distributed.processes import Processes
from cilsim.features.dealing import extract_dealt
from cilsim.features.extract import Allocate, ForwardCounter, device_of, extract, in_memory
from cilsim.features.scratch import on_disk


@dataclass(frozen=True)
class Extraction:
    """What features depend on besides the samples, as one call asks for it.

    Attributes:
        kind: the class of the backbone.
        version: its `fingerprint`.
        view: how samples are changed before they are cropped.
        precision: of the forward pass.
        chunk: samples per forward pass.
        device: type of the device.
        mean: by which samples are normalised.
        std: likewise.
    """

    kind: str
    version: str
    view: str
    precision: str
    chunk: int
    device: str
    mean: tuple[float, ...]
    std: tuple[float, ...]


class Extractor:
    """Passes samples through backbones.

    Attributes:
        processes: those that extract together, each its share.
        mapped_bytes: features that take more, on a CPU, are mapped from the disk.
        counter: how many samples went through a backbone of this process.
    """

    def __init__(self, processes: Processes, mapped_bytes: int) -> None:
        self.processes = processes
        self.mapped_bytes = mapped_bytes
        self.counter = ForwardCounter()
        self._folded = LastFolded()

    def features(self, backbone: nn.Module, samples: Samples, asked: Extraction) -> Tensor:
        """Return (N, D) float32 features.

        Raises:
            RuntimeError: the memory does not suffice for a chunk (`is_out_of_memory`).
            MemoryError: likewise.
            RunFailed: another process could not extract its share.
        """
        backbone = self._folded.get(backbone, asked.version)
        how: dict[str, Any] = {
            "chunk": asked.chunk,
            "precision": asked.precision,
            "view": asked.view,
            "counter": self.counter,
            "allocate": self._allocate,
        }
        if self.processes.count == 1:
            return extract(backbone, samples, **how)
        device = device_of(backbone, samples)
        return extract_dealt(backbone, samples, self.processes, device=device, **how)

    def is_mapped(self, size: int, device: torch.device) -> bool:
        """Return whether features of so many bytes are mapped from the disk."""
        return device.type == "cpu" and size > self.mapped_bytes

    def _allocate(self, count: int, feature_size: int, device: torch.device) -> Tensor:
        mapped = self.is_mapped(4 * count * feature_size, device)
        allocate: Allocate = on_disk if mapped else in_memory
        return allocate(count, feature_size, device)
