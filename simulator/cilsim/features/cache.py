"""Features that were extracted before, by backbone version and part.

Axis letters: N samples, D features.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from cilsim.data.samples import Samples
from cilsim.features.extract import ForwardCounter, device_of, extract

KIND = "features"
"""Under which kind features are kept in a store."""


class Store(Protocol):
    """Content-addressed storage, such as the cache on disk."""

    def get(self, kind: str, key: str) -> Mapping[str, Any] | None:
        """Return what is kept under `key`, or None."""

    def put(self, kind: str, key: str, state: Mapping[str, Any], facts: Mapping[str, Any]) -> None:
        """Keep tensors by name under `key`, with facts for people."""


class FeatureCache:
    """Extracts features once per backbone version, part, view, precision and chunk.

    The least recently used are dropped when the memory limit is reached. Returned tensors belong
    to the cache; one that was changed in place is noticed and extracted again.

    Attributes:
        memory_limit_bytes: how much may be kept on the device.
        store: where features are also kept beyond this process, or None.
        counter: how many samples went through a backbone.
    """

    def __init__(self, memory_limit_bytes: int, store: Store | None = None) -> None:
        self.memory_limit_bytes = memory_limit_bytes
        self.store = store
        self.counter = ForwardCounter()
        self._kept: OrderedDict[str, tuple[Tensor, int]] = OrderedDict()

    def features(
        self,
        backbone: nn.Module,
        version: str,
        samples: Samples,
        *,
        view: str = "plain",
        precision: str = "float32",
        chunk: int | None = None,
    ) -> Tensor:
        """Return (N, D) float32 features, extracted only if they are not known.

        Args:
            backbone: maps normalised samples to features.
            version: its `fingerprint`.
            samples: the part.
            view: a name in `extract.VIEWS`.
            precision: of the forward pass.
            chunk: samples per forward pass; None takes the device's default.
        """
        device = device_of(backbone, samples)
        key = _key(type(backbone), version, samples.digest, view, precision, chunk, device.type)
        features_ND = self._remembered(key)
        if features_ND is None:
            features_ND = self._stored(key, len(samples), device)
        if features_ND is None:
            features_ND = extract(
                backbone, samples, chunk=chunk, precision=precision, view=view, counter=self.counter
            )
            self._put(key, features_ND, samples)
        self._remember(key, features_ND)
        return features_ND

    @property
    def bytes_kept(self) -> int:
        """Bytes that are kept on the device now."""
        return sum(_bytes(features_ND) for features_ND, _ in self._kept.values())

    def clear(self) -> None:
        """Forget what is kept in memory."""
        self._kept.clear()

    def _remembered(self, key: str) -> Tensor | None:
        features_ND, revision = self._kept.pop(key, (None, 0))
        if features_ND is None or features_ND._version != revision:
            return None
        return features_ND

    def _remember(self, key: str, features_ND: Tensor) -> None:
        if _bytes(features_ND) > self.memory_limit_bytes:
            return
        self._kept[key] = (features_ND, features_ND._version)
        while self.bytes_kept > self.memory_limit_bytes:
            self._kept.popitem(last=False)

    def _stored(self, key: str, count: int, device: torch.device) -> Tensor | None:
        state = None if self.store is None else self.store.get(KIND, key)
        if state is None:
            return None
        features_ND: Tensor = state["features"].to(device)
        return features_ND if features_ND.shape[0] == count else None

    def _put(self, key: str, features_ND: Tensor, samples: Samples) -> None:
        if self.store is not None:
            facts = {"samples": len(samples), "feature_size": int(features_ND.shape[1])}
            self.store.put(KIND, key, {"features": features_ND.cpu()}, facts)


def _key(kind: type[nn.Module], *facts: object) -> str:
    parts = (kind.__module__, kind.__qualname__, *facts)
    return hashlib.sha256("\x1f".join(map(str, parts)).encode()).hexdigest()


def _bytes(tensor: Tensor) -> int:
    return tensor.numel() * tensor.element_size()
