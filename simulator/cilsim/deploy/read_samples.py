"""Samples that were read from files of a user, and where each is from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Place:
    """Where a sample is from.

    Attributes:
        file: which holds it.
        row: which row of the file it is: of a table from 1, of an array from 0, as messages about
            them and NumPy count; None of an image, which is a file of its own.
    """

    file: Path
    row: int | None = None

    def described(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {"file": str(self.file)} | ({} if self.row is None else {"row": self.row})

    def text(self, *, among_files: bool) -> str:
        """Return it as a line names it, with the file of a row only if there are several files."""
        if self.row is None:
            return str(self.file)
        return f"{self.file}:{self.row}" if among_files else str(self.row)


@dataclass(frozen=True)
class ReadSamples:
    """Some samples and what could not be read.

    Attributes:
        places: where each is from.
        x: (N, C, side, side) uint8 images or (N, D) float32 features, one for each of `places`.
        broken: why files could not be read, by path; only images are left out.
    """

    places: tuple[Place, ...]
    x: Any
    broken: Mapping[Path, str] = field(default_factory=dict)
