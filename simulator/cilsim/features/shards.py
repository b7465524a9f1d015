"""Features on the disk, in shards: those of many small parts in one file, a large part in its own.

Writing a file safely costs milliseconds, which small parts would add up to seconds. So they wait
until the run ends or there are enough of them. A run that is killed before has lost time, nothing
else.

Axis letters: N samples, D features.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from torch import Tensor

from cilsim.features.kept import Kept, Place
from cilsim.results.atomic import surviving
from cilsim.results.cache import ContentStore
from cilsim.results.mapped_rows import map_rows, save_rows
from cilsim.results.state_file import read_state_file

logger = logging.getLogger(__name__)

KIND = "features"
"""Under which kind features are kept in the store."""

SHARD_BYTES = 1 << 28
"""Features that wait for a common file; a part of this size has a file of its own."""


@dataclass(frozen=True)
class _Span:
    """Rows of a shard."""

    key: str
    start: int
    stop: int


class FeatureShards:
    """Features by what they depend on and the digest of their samples.

    Attributes:
        store: where the shards are.
        about: what people are told of them, such as the name of the backbone.
        shard_bytes: how much waits in memory before it is written.
    """

    def __init__(
        self,
        store: ContentStore,
        about: Mapping[str, Any] | None = None,
        shard_bytes: int = SHARD_BYTES,
    ) -> None:
        self.store = store
        self.about = dict(about or {})
        self.shard_bytes = shard_bytes
        self._waiting: dict[Place, Kept] = {}
        self._spans: dict[str, dict[str, _Span]] = {}
        self._opened: dict[str, Kept] = {}

    def get(self, place: Place) -> Tensor | None:
        """Return (N, D) features on the CPU, memory-mapped if they were written, or None.

        The checksum of a shard is compared when this process first opens it. A damaged one is
        removed, with a warning that names the file.
        """
        waiting = self._waiting.get(place)
        if waiting is not None:
            return waiting.features if waiting.unchanged else None
        context, part = place
        span = self._spans_of(context).get(part)
        if span is None:
            return None
        rows_ND = self._rows(span.key)
        if rows_ND is None:  # damaged, or another process has removed it
            del self._spans[context]
            return None
        return rows_ND[span.start : span.stop]

    def put(self, place: Place, features_ND: Tensor) -> None:
        """Keep features until they are written; nobody may write into them before."""
        if features_ND.nbytes > self.store.limit_bytes:
            logger.warning(
                "features of %d samples take %d bytes, more than the %d of the cache; "
                "they are not kept beyond this command",
                *(len(features_ND), features_ND.nbytes, self.store.limit_bytes),
            )
        elif len(features_ND):
            on_host_ND = features_ND.cpu()
            self._waiting[place] = Kept(on_host_ND, on_host_ND._version, mapped=False)
        if sum(kept.features.nbytes for kept in self._waiting.values()) >= self.shard_bytes:
            self.flush()

    def flush(self) -> None:
        """Write what waits; if that is impossible, a warning is logged."""
        waiting, self._waiting = self._waiting, {}
        contexts = dict.fromkeys(context for context, _ in waiting)
        for wanted in contexts:
            parts = {
                part: kept.features
                for (context, part), kept in waiting.items()
                if context == wanted and kept.unchanged
            }
            self._write(wanted, parts)

    def _write(self, context: str, parts: Mapping[str, Tensor]) -> None:
        if not parts:
            return
        # the largest first: it alone may be used in place, and begins where memory would
        names = sorted(parts, key=lambda name: (-len(parts[name]), name))
        tensors = [parts[name] for name in names]
        facts = {
            **self.about,
            "samples": sum(map(len, tensors)),
            "feature_size": tensors[0].shape[1],
            "parts": [[name, len(parts[name])] for name in names],
        }
        key = f"{context}.{sha256(' '.join(names).encode()).hexdigest()[:16]}"
        self.store.write(KIND, key, lambda folder: save_rows(folder, tensors, facts))
        self._spans.pop(context, None)
        self._opened.pop(key, None)

    def _spans_of(self, context: str) -> dict[str, _Span]:
        """Return where each part is; the folder is looked through once."""
        if context not in self._spans:
            self._spans[context] = {
                part: span
                for key in self.store.keys(KIND, f"{context}.")
                for part, span in _spans(key, self.store.read(KIND, key, _parts) or ())
            }
        return self._spans[context]

    def _rows(self, key: str) -> Tensor | None:
        opened = self._opened.get(key)
        if opened is not None and opened.unchanged:
            return opened.features
        rows_ND = self.store.read(KIND, key, map_rows)
        if rows_ND is not None:
            self._opened[key] = Kept(rows_ND, rows_ND._version, mapped=True)
        return rows_ND


def _parts(folder: Path) -> list[tuple[str, int]]:
    """Return digest and number of rows of each part of a shard."""
    return [(part, rows) for part, rows in read_state_file(surviving(folder)).facts["parts"]]


def _spans(key: str, parts: Sequence[tuple[str, int]]) -> list[tuple[str, _Span]]:
    found, start = [], 0
    for part, rows in parts:
        found.append((part, _Span(key, start, start + rows)))
        start += rows
    return found
