"""Checkpoints of one run: after each experience, and within the one that is being learnt."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from cilsim.results.atomic import remove_folder
from cilsim.results.background import BackgroundWriter
from cilsim.results.generations import Generations, Stored
from cilsim.results.tensors import pack_state

GENERATIONS_INSIDE = 2
"""States kept inside one training."""

MOST_FINISHED = 8
"""Trainings of one experience whose results are kept; later ones are done again if it comes to it.
"""


class Checkpoints:
    """The folder `checkpoints`: `experience-NN/` and, until there is one, `training-NN/`.

    `training-NN/00/`, `01/`, ... are states inside a training of experience NN,
    `training-NN/finished-00/`, ... results of trainings that it has behind it. Both are written in
    the background: the state is copied to the host at once, and one state at most is on its way to
    the disk.

    Args:
        folder: the folder; made when something is first saved.
        keep: how many experiences to keep, the newest ones.
        device: where the tensors of loaded states go.
    """

    def __init__(self, folder: Path, keep: int = 2, device: torch.device | str = "cpu") -> None:
        if keep < 1:
            raise ValueError(f"keep is {keep}; at least one checkpoint is needed to resume")
        self._folder, self._device = folder, device
        self._experiences = Generations(folder, "experience-", keep, device)
        self._writer = BackgroundWriter()
        self._look_at(0)

    def begin_experience(self, index: int) -> None:
        """Keep the trainings of experience `index` from now on, and forget those of others.

        Raises:
            RunFolderError: the last state could not be written, or the folder cannot.
        """
        self.wait()
        self._look_at(index)
        for path in self._folder.glob("training-*"):
            if path != self._inside.folder:
                remove_folder(path)

    def save_experience(self, index: int, state: Any, facts: Mapping[str, Any]) -> None:
        """Store the state after experience `index`, and forget its trainings.

        States of later experiences are obsolete then and removed.

        Raises:
            CheckpointError: the state holds something that cannot be stored.
            RunFolderError: the disk is full or the folder cannot be written.
        """
        self.wait()
        self._experiences.save(index, pack_state(state), facts)
        self.begin_experience(index + 1)

    def latest(self, before: int | None = None) -> Stored | None:
        """Return index, state and facts of the newest undamaged checkpoint, or None.

        A damaged one is skipped with a warning that names it.

        Args:
            before: look only at experiences before this one.
        """
        return self._experiences.newest(before)

    def tidy(self, newest: int | None) -> None:
        """Remove what a process that died has left: damaged checkpoints, named, and old ones.

        Args:
            newest: the checkpoint that the run goes on from, or None.

        Raises:
            RunFolderError: the folder cannot be written.
        """
        self._experiences.remove_damaged()
        if newest is not None:
            self._experiences.remove_old(newest)

    def save_training(self, state: Any, facts: Mapping[str, Any]) -> None:
        """Store the state inside a training; the one before it is kept in case of damage.

        Raises:
            CheckpointError: the state holds something that cannot be stored.
            RunFolderError: the disk was full or the folder could not be written, now or at the
                state before.
        """
        packed, facts = pack_state(state, copy=True), dict(facts)

        def write() -> None:
            self._inside.save(max(self._inside.numbers(), default=-1) + 1, packed, facts)

        self._writer.submit(write)

    def load_training(self) -> tuple[Any, dict[str, Any]] | None:
        """Return state and facts of the newest undamaged state inside a training, or None.

        `facts` should say which training of the experience it belongs to.
        """
        self.wait()
        stored = self._inside.newest()
        return None if stored is None else stored[1:]

    def finish_training(self, number: int, state: Any, facts: Mapping[str, Any]) -> None:
        """Store the result of training `number` of an experience, in place of states inside it.

        Raises:
            CheckpointError: the state holds something that cannot be stored.
            RunFolderError: as for `save_training`.
        """
        if number >= MOST_FINISHED:
            return
        packed, facts = pack_state(state, copy=True), dict(facts)

        def write() -> None:
            self._finished.save(number, packed, facts)
            self._inside.clear()

        self._writer.submit(write)

    def load_finished(self, number: int) -> tuple[Any, dict[str, Any]] | None:
        """Return result and facts of training `number`, or None if it is missing or damaged."""
        self.wait()
        return self._finished.load(number)

    def training_facts(self) -> list[dict[str, Any]]:
        """Return the facts of everything that is stored about trainings of the experience."""
        self.wait()
        return [*self._finished.facts(), *self._inside.facts()]

    def wait(self) -> None:
        """Return when everything is on the disk.

        Raises:
            RunFolderError: the last state could not be written.
        """
        self._writer.wait()

    def abandon(self) -> None:
        """Let the last state reach the disk, as the run ends with an error."""
        self._writer.abandon()

    def _look_at(self, index: int) -> None:
        folder = self._folder / f"training-{index:02d}"
        self._inside = Generations(folder, "", GENERATIONS_INSIDE, self._device)
        self._finished = Generations(folder, "finished-", MOST_FINISHED, self._device)
