"""Checkpoints of one run: after each experience, and inside a long training."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch

from cilsim.errors import CheckpointError
from cilsim.results.atomic import REPLACED, remove_folder, remove_stale
from cilsim.results.tensors import load_state, save_state

FORMAT = 1
"""Raised when what a run stores in its states changes."""
FORMAT_KEY = "format"

logger = logging.getLogger(__name__)

TRAINING_GENERATIONS = 2

Stored = tuple[int, Any, dict[str, Any]]
"""Index, state and facts."""


class Checkpoints:
    """The folder `checkpoints`: `experience-NN/` and, inside a long training, `training/NN/`.

    Args:
        folder: the folder; made when something is first saved.
        keep: how many experiences to keep, the newest ones.
        device: where the tensors of loaded states go.
    """

    def __init__(self, folder: Path, keep: int = 2, device: torch.device | str = "cpu") -> None:
        if keep < 1:
            raise ValueError(f"keep is {keep}; at least one checkpoint is needed to resume")
        self._experiences = _Generations(folder, "experience-", keep, device)
        self._training = _Generations(folder / "training", "", TRAINING_GENERATIONS, device)

    def save_experience(self, index: int, state: Any, facts: Mapping[str, Any]) -> None:
        """Store the state after experience `index`; later ones are obsolete then and removed.

        Raises:
            CheckpointError: the state holds something that cannot be stored.
            RunFolderError: the disk is full or the folder cannot be written.
        """
        self._experiences.save(index, state, facts)

    def latest(self) -> Stored | None:
        """Return index, state and facts of the newest undamaged checkpoint, or None.

        A damaged one is skipped with a warning that names it.
        """
        return self._experiences.newest()

    def save_training(self, state: Any, facts: Mapping[str, Any]) -> None:
        """Store the state inside a training; the one before it is kept in case of damage.

        Raises:
            CheckpointError: the state holds something that cannot be stored.
            RunFolderError: the disk is full or the folder cannot be written.
        """
        self._training.save(max(self._training.numbers(), default=-1) + 1, state, facts)

    def load_training(self) -> tuple[Any, dict[str, Any]] | None:
        """Return state and facts of the newest undamaged state inside a training, or None.

        `facts` should say which experience it belongs to: after a damaged checkpoint the run may
        go back to an earlier one.
        """
        stored = self._training.newest()
        return None if stored is None else stored[1:]

    def clear_training(self) -> None:
        """Forget the states inside the training, which has ended."""
        remove_folder(self._training.folder)


class _Generations:
    """Numbered states in a folder, of which the newest are kept."""

    def __init__(self, folder: Path, prefix: str, keep: int, device: torch.device | str) -> None:
        self.folder = folder
        self._prefix = prefix
        self._keep = keep
        self._device = device

    def numbers(self) -> list[int]:
        """Return the numbers that are stored, ascending, the damaged ones too."""
        return sorted(set(self._find()))

    def save(self, number: int, state: Any, facts: Mapping[str, Any]) -> None:
        remove_stale(self.folder)
        save_state(self._path(number), state, {**facts, FORMAT_KEY: FORMAT})
        stored = self.numbers()
        kept = [other for other in stored if other <= number][-self._keep :]
        for other in stored:
            if other not in kept:
                remove_folder(self._path(other))

    def newest(self) -> Stored | None:
        for number in reversed(self.numbers()):
            try:
                return number, *self._load(self._path(number))
            except CheckpointError as error:
                logger.warning("%s; this checkpoint is skipped", error)
        return None

    def _load(self, path: Path) -> tuple[Any, dict[str, Any]]:
        state, facts = load_state(path, self._device)
        found = facts.pop(FORMAT_KEY, None)
        if found != FORMAT:
            raise CheckpointError(
                f"{path}: was written by another version of cilsim (format {found}, "
                f"expected {FORMAT})"
            )
        return state, facts

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
