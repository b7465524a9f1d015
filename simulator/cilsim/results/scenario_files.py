"""What a run folder runs: its scenario as it was given, and with every default."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from cilsim.errors import CheckpointError, RunFolderError
from cilsim.results.reading import as_text
from cilsim.results.sealed_folder import SealedFolder

SCENARIO = "scenario.yaml"
RESOLVED = "resolved.yaml"
DIFFERENCES_SHOWN = 10

logger = logging.getLogger(__name__)

Difference = Callable[[str, str], list[str]]
"""Takes the resolved texts of before and now, returns one line per difference."""


@dataclass(frozen=True)
class ScenarioTexts:
    """A scenario that is about to be run.

    Attributes:
        given: the file, as it was given.
        resolved: YAML with all defaults and a top-level line `hash: ...`.
        hash: decides whether an existing folder belongs to this scenario.
    """

    given: str
    resolved: str
    hash: str

    @classmethod
    def of(cls, given: str, resolved: str, scenario_hash: str) -> ScenarioTexts:
        """Return the texts; a hash is added if the resolved one has none."""
        if _hash_in(resolved) is None:
            resolved = f"{resolved.rstrip()}\nhash: {scenario_hash}\n"
        return cls(given, resolved, scenario_hash)


class ScenarioFiles:
    """`scenario.yaml` and `resolved.yaml` of a run folder.

    Args:
        files: of the run folder.
    """

    def __init__(self, files: SealedFolder) -> None:
        self._files = files

    @property
    def given(self) -> str:
        """The scenario file as it was given."""
        return self._read(SCENARIO)

    @property
    def resolved(self) -> str:
        """The scenario with all defaults and its hash."""
        return self._read(RESOLVED)

    def write(self, texts: ScenarioTexts) -> None:
        """Write both files."""
        with self._files.changes() as changes:
            changes.write(SCENARIO, texts.given.encode())
            changes.write(RESOLVED, texts.resolved.encode())

    def take_up(self, texts: ScenarioTexts, difference: Difference) -> None:
        """Refuse another scenario than that of the folder; write again what is damaged.

        Raises:
            RunFolderError: the scenario is another one, or it is not known whether it is.
        """
        self._refuse_another(texts, difference)
        try:
            _ = self.given
        except (CheckpointError, RunFolderError) as error:  # any text of the same hash will do
            logger.warning("%s; the scenario that was given takes its place", error)
            self._files.write(SCENARIO, texts.given.encode())

    def _refuse_another(self, texts: ScenarioTexts, difference: Difference) -> None:
        try:
            before = self.resolved
        except (CheckpointError, RunFolderError) as error:
            self._mend_resolved(texts.resolved, error)
            return
        if _hash_in(before) != texts.hash:
            raise _other_version(self._files.path, difference(before, texts.resolved))

    def _mend_resolved(self, resolved: str, damage: Exception) -> None:
        """Write `resolved.yaml` again if it is sure that it was the same."""
        if not self._files.agrees(RESOLVED, resolved.encode()):
            raise RunFolderError(
                f"{damage}; the scenario that was given does not give it back; run the one that "
                f"the folder was made with, choose another place with --out, or remove "
                f"{self._files.path}"
            ) from damage
        logger.warning("%s; it is written again", damage)
        self._files.write(RESOLVED, resolved.encode())

    def _read(self, name: str) -> str:
        content, path = self._files.read(name), self._files.path / name
        if content is None:
            raise RunFolderError(f"{path}: is missing in the run folder")
        return as_text(path, content)


def _hash_in(resolved: str) -> str | None:
    found = re.search(r"^(?:# )?hash:[ \t]*['\"]?([^\s'\"#]+)", resolved, flags=re.MULTILINE)
    return None if found is None else found[1]


def _other_version(folder: Path, lines: Sequence[str]) -> RunFolderError:
    shown = [f"  {line}" for line in lines[:DIFFERENCES_SHOWN]]
    if len(lines) > DIFFERENCES_SHOWN:
        shown.append(f"  and {len(lines) - DIFFERENCES_SHOWN} more")
    return RunFolderError(
        "\n".join(
            [
                f"{folder}: holds runs of another version of this scenario, which differs in",
                *shown,
                f"give the scenario another name, choose another place with --out, or remove "
                f"{folder}",
            ]
        )
    )
