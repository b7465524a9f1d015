"""`ledger.json`: what a run costs, in bytes kept, in seconds and in parameters."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Mapping, Sequence

from cilsim.records import Evaluation
from cilsim.results.atomic import json_bytes

_INSIDE = 4 * " "
"""How far an entry of `experiences` is indented."""


class Ledger:
    """The file as it grows: each experience is put into JSON once, however long the stream."""

    def __init__(self) -> None:
        self._entries: list[str] = []
        self._seconds: defaultdict[str, list[float]] = defaultdict(list)

    def content(self, evaluations: Sequence[Evaluation], parameters: Mapping[str, int]) -> bytes:
        """Return the file: parameters, seconds in all, bytes and seconds by experience.

        Args:
            evaluations: of all experiences so far; those of earlier calls begin them.
            parameters: numbers of parameters by part of the model.
        """
        for evaluation in evaluations[len(self._entries) :]:
            self._entries.append(_entry(evaluation))
            for kind, seconds in evaluation.seconds.items():
                self._seconds[kind].append(seconds)
        total = {kind: math.fsum(seconds) for kind, seconds in sorted(self._seconds.items())}
        totals = json_bytes({"parameters": dict(parameters), "seconds": total})
        beginning = totals.decode().removesuffix("\n}\n")
        experiences = ",\n".join(self._entries)
        return f'{beginning},\n  "experiences": [\n{experiences}\n  ]\n}}\n'.encode()


def _entry(evaluation: Evaluation) -> str:
    entry = {
        "experience": evaluation.experience,
        "bytes_kept": dict(sorted(evaluation.kept.items())),
        "seconds": dict(sorted(evaluation.seconds.items())),
    }
    text = json.dumps(entry, indent=2, ensure_ascii=False, allow_nan=False)
    return _INSIDE + text.replace("\n", f"\n{_INSIDE}")
