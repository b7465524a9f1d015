"""Numbered states in a folder, of which the newest are kept."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch

from cilsim.errors import CheckpointError
from cilsim.results.atomic import REPLACED, remove_folder, remove_stale, surviving
from cilsim.results.state_file import read_state_file
from cilsim.results.tensor_file import check_state
from cilsim.results.tensors import Packed, load_state, save_packed

FORMAT = 2
"""Raised when what a run stores in its states changes."""
FORMAT_KEY = "format"

logger = logging.getLogger(__name__)

Stored = tuple[int, Any, dict[str, Any]]
"""Number, state and facts."""


class Generations:
    """States `<prefix>NN` in one folder.

    Args:
        folder: the folder; made when something is first saved.
        prefix: before the number.
        keep: how many to keep, those of the highest numbers.
        device: where the tensors of loaded states go.
    """

    def __init__(self, folder: Path, prefix: str, keep: int, device: torch.device | str) -> None:
        self.folder = folder
        self._prefix = prefix
        self._keep = keep
        self._device = device

    def numbers(self) -> list[int]:
        """Return the numbers that are stored, ascending, the damaged ones too."""
        return sorted(set(self._find()))

    def save(self, number: int, packed: Packed, facts: Mapping[str, Any]) -> None:
        """Store one state; those of higher numbers are obsolete then and removed.

        Raises:
            RunFolderError: the disk is full or the folder cannot be written.
        """
        remove_stale(self.folder)
        save_packed(self._path(number), packed, {**facts, FORMAT_KEY: FORMAT})
        for later in (other for other in self.numbers() if other > number):
            remove_folder(self._path(later))
        self.remove_old(number)

    def newest(self, before: int | None = None) -> Stored | None:
        """Return the newest undamaged state, or None; a damaged one is named in a warning.

        Args:
            before: look only at lower numbers than this one.
        """
        for number in reversed(self.numbers()):
            if before is not None and number >= before:
                continue
            found = self.load(number)
            if found is not None:
                return number, *found
        return None

    def load(self, number: int) -> tuple[Any, dict[str, Any]] | None:
        """Return state and facts, or None if there is none; a damaged one is named in a warning."""
        if number not in self.numbers():
            return None
        path = self._path(number)
        try:
            state, facts = load_state(path, self._device)
            _check_format(path, facts.pop(FORMAT_KEY, None))
        except CheckpointError as error:
            logger.warning("%s; this checkpoint is skipped", error)
            return None
        return state, facts

    def remove_old(self, newest: int) -> None:
        """Remove the states before `newest` that are not to be kept.

        A process that died after it saved `newest` has left one more.
        """
        for number in [number for number in self.numbers() if number <= newest][: -self._keep]:
            remove_folder(surviving(self._path(number)))

    def remove_damaged(self) -> None:
        """Remove states that nobody can use, with a warning that names them."""
        for number in self.numbers():
            path = self._path(number)
            try:
                check_state(surviving(path))
            except CheckpointError as error:
                logger.warning("%s; this checkpoint is removed", error)
                remove_folder(surviving(path))

    def facts(self) -> list[dict[str, Any]]:
        """Return the facts of all states, tensors unread; those of damaged ones are left out."""
        found = []
        for number in self.numbers():
            try:
                found.append(read_state_file(surviving(self._path(number))).facts)
            except CheckpointError:  # whoever loads the state says so
                continue
        return found

    def clear(self) -> None:
        """Remove all states."""
        for number in self.numbers():
            remove_folder(self._path(number))

    def _path(self, number: int) -> Path:
        return self.folder / f"{self._prefix}{number:02d}"

    def _find(self) -> Iterator[int]:
        # One that was just being replaced when the process died is found where it was set aside.
        pattern = re.compile(rf"(?:{re.escape(REPLACED)})?{re.escape(self._prefix)}(\d+)")
        if self.folder.is_dir():
            for path in self.folder.iterdir():
                found = pattern.fullmatch(path.name)
                if found:
                    yield int(found[1])


def _check_format(path: Path, found: Any) -> None:
    if found != FORMAT:
        raise CheckpointError(
            f"{path}: was written by another version of cilsim (format {found}, expected {FORMAT})"
        )
