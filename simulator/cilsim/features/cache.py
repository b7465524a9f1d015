"""Features that were extracted before, by backbone version and part.

Axis letters: N samples, D features.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import torch
from torch import Tensor, nn

from cilsim.data.memory import is_out_of_memory, release_unused
from cilsim.data.samples import Samples
from cilsim.distributed.processes import ALONE, Processes
from cilsim.features.chunks import chunk_for
from cilsim.features.extract import EXTRACTION_VERSION, ForwardCounter, device_of
from cilsim.features.extractor import Extraction, Extractor
from cilsim.features.kept import KeptFeatures, Place
from cilsim.features.provenance import code_of
from cilsim.features.shards import FeatureShards
from cilsim.features.shared_shards import SharedShards
from cilsim.results.cache import content_key

logger = logging.getLogger(__name__)

MAPPED_BYTES = 1 << 28
"""Features of a part that take more, on a CPU, are mapped from the disk."""

DISK_LIMIT_BYTES = 1 << 36
"""Mapped features that one command keeps for reuse."""


class FeatureCache:
    """Extracts features once per backbone version, part, view, precision and chunk.

    Returned tensors belong to the cache; one that was changed in place is noticed and extracted
    again. On a CPU large ones are memory-mapped. Features that were stored have the bits of those
    extracted: what they depend on is in their key, and the samples of a chunk never matter to each
    other.

    Attributes:
        shards: where features are also kept beyond this process, or None.
        facts: plain data that features depend on and this class cannot see, such as the options of
            the backbone, threads and versions.

    Args:
        memory_limit_bytes: features that are kept in memory; beyond it the oldest are let go.
        mapped_bytes: features that take more, on a CPU, are mapped.
        processes: those that extract together, each its share.
    """

    def __init__(
        self,
        memory_limit_bytes: int,
        shards: FeatureShards | SharedShards | None = None,
        facts: Mapping[str, Any] | None = None,
        mapped_bytes: int = MAPPED_BYTES,
        processes: Processes = ALONE,
    ) -> None:
        self.shards = shards
        self.facts = dict(facts or {})
        self._extractor = Extractor(processes, mapped_bytes)
        self._kept = KeptFeatures(memory_limit_bytes, DISK_LIMIT_BYTES)
        self._contexts: dict[Extraction, str] = {}
        self._largest_chunk: int | None = None

    def features(
        self,
        backbone: nn.Module,
        version: str,
        samples: Samples,
        *,
        view: str = "plain",
        precision: str = "float32",
        chunk: int | None = None,
        lasting: bool = True,
    ) -> Tensor:
        """Return (N, D) float32 features, extracted only if they are not known.

        Args:
            backbone: maps normalised samples to features.
            version: its `fingerprint`.
            samples: the part.
            view: a name in `extract.VIEWS`.
            precision: of the forward pass.
            chunk: samples per forward pass; None takes what `chunk_for` says. Where the memory
                does not suffice for them it is halved.
            lasting: whether another command may come to the same weights, so that features are
                kept for it.
        """
        device = device_of(backbone, samples)
        wanted = chunk or chunk_for(backbone, samples, device)
        # normal tensors, whatever the caller's mode: others could not be trained on, nor watched
        with torch.inference_mode(False), torch.no_grad():
            while True:
                asked = Extraction(
                    f"{type(backbone).__module__}.{type(backbone).__qualname__}",
                    version, view, precision, min(wanted, self._largest_chunk or wanted),
                    device.type, samples.mean, samples.std,
                )  # fmt: skip
                place = (self._context(asked, backbone), samples.digest)
                found_ND = self._known(place, len(samples), device)
                if found_ND is None:
                    found_ND = self._extracted(place, backbone, samples, asked, lasting)
                if found_ND is not None:
                    return found_ND
                release_unused(device)
                self._largest_chunk = asked.chunk // 2

    @property
    def counter(self) -> ForwardCounter:
        """How many samples went through a backbone of this process."""
        return self._extractor.counter

    @property
    def bytes_kept(self) -> int:
        """Bytes that are kept in memory now."""
        return self._kept.bytes_kept(mapped=False)

    def flush(self) -> None:
        """Write features that wait for it."""
        if self.shards is not None:
            self.shards.flush()

    def clear(self) -> None:
        """Forget what is kept in memory."""
        self._kept.clear()

    def _context(self, asked: Extraction, backbone: nn.Module) -> str:
        if asked not in self._contexts:
            everything = {
                **self.facts,
                **asdict(asked),
                "code": code_of(backbone),
                "torch": torch.__version__,
                "extraction": EXTRACTION_VERSION,
            }
            self._contexts[asked] = content_key(everything)
        return self._contexts[asked]

    def _known(self, place: Place, count: int, device: torch.device) -> Tensor | None:
        """Return features out of memory or, if they are not there, from the disk."""
        kept_ND = self._kept.get(place)
        if kept_ND is not None:
            return kept_ND
        found_ND = None if self.shards is None else self.shards.get(place)
        if found_ND is None or len(found_ND) != count:
            return None
        mapped = self._extractor.is_mapped(found_ND.nbytes, device)
        if not mapped:
            found_ND = found_ND.to(device, copy=True)
        self._kept.add(place, found_ND, mapped=mapped)
        return found_ND

    def _extracted(
        self, place: Place, backbone: nn.Module, samples: Samples, asked: Extraction, lasting: bool
    ) -> Tensor | None:
        """Return features, or None if the memory does not suffice for such a chunk."""
        try:
            found_ND = self._extractor.features(backbone, samples, asked)
        except (RuntimeError, MemoryError) as error:
            if asked.chunk == 1 or not is_out_of_memory(error):
                raise
            logger.warning(
                "features: %d samples at once exceed the memory of %s; %d are used from here on, "
                "which may change features by rounding",
                *(asked.chunk, asked.device, asked.chunk // 2),
            )
            return None
        mapped = self._extractor.is_mapped(found_ND.nbytes, found_ND.device)
        self._kept.add(place, found_ND, mapped=mapped)
        if lasting and self.shards is not None and next(backbone.parameters(), None) is not None:
            self.shards.put(place, found_ND)
        return found_ND
