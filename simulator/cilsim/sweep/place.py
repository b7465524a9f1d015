"""The folder of a sweep: its run folders, and beside them what the sweep itself needs."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cilsim.errors import RunFolderError
from cilsim.results.atomic import write_text
from cilsim.results.scenario_files import RESOLVED
from cilsim.scenario.resolved import resolved_yaml
from cilsim.sweep.cell import Cell, CellState, differences, state_of

OWN = ".sweep"
DIFFERENCES_SHOWN = 5
ANOTHER = CellState.ANOTHER


@dataclass(frozen=True)
class SweepFolder:
    """`runs/<sweep>`, which holds one run folder per cell.

    Attributes:
        path: the folder.
    """

    path: Path

    @property
    def events(self) -> Path:
        """Where it is noted what happened to which cell."""
        return self.own / "events.jsonl"

    @property
    def own(self) -> Path:
        """The folder of what is no run."""
        return self.path / OWN

    def of(self, cell: Cell) -> Path:
        """Return the run folder of a cell."""
        return self.path / cell.name

    def log_of(self, cell: Cell) -> Path:
        """Return where the lines of a cell's runs go."""
        return self.own / "logs" / f"{cell.name}.log"

    def write_cell(self, cell: Cell) -> Path:
        """Write the scenario of a cell, every value given, and return the file.

        Raises:
            RunFolderError: it cannot be written.
        """
        path = self.own / "cells" / f"{cell.name}.yaml"
        write_text(path, resolved_yaml(cell.scenario))
        return path

    def check(self, cells: Sequence[Cell]) -> list[CellState]:
        """Return how far each cell is.

        Raises:
            RunFolderError: the folder is a run itself, or holds another version of a cell.
        """
        if (self.path / RESOLVED).is_file():
            raise RunFolderError(
                f"{self.path}: is a run folder; give the sweep another name, or choose another "
                f"place with --out"
            )
        states = [state_of(cell, self.of(cell)) for cell in cells]
        others = [cell for cell, state in zip(cells, states, strict=True) if state is ANOTHER]
        if others:
            raise self._other_version(others)
        return states

    def _other_version(self, cells: Sequence[Cell]) -> RunFolderError:
        first = self.of(cells[0])
        more = f" (and {len(cells) - 1} more)" if len(cells) > 1 else ""
        lines = [f"  {line}" for line in differences(cells[0], first)[:DIFFERENCES_SHOWN]]
        return RunFolderError(
            "\n".join(
                [
                    f"{first}{more}: holds runs of another version, which differs in",
                    *lines,
                    "give the sweep another name, choose another place with --out, or remove "
                    + shlex.quote(str(first)),
                ]
            )
        )
