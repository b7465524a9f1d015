"""The folder of one scenario's runs: who may write in it, and what lies where."""

from __future__ import annotations

import logging
import re
import shlex
from collections.abc import Iterable
from pathlib import Path

from cilsim.errors import RunFolderError
from cilsim.naming import did_you_mean
from cilsim.results.atomic import cannot_write, is_stale, remove_stale
from cilsim.results.lock import LOCK_FILE, FolderLock
from cilsim.results.scenario_files import RESOLVED, Difference, ScenarioFiles, ScenarioTexts
from cilsim.results.sealed_folder import EVENT_FILES, SealedFolder
from cilsim.results.seed_folder import SeedFolder
from cilsim.results.status import StatusFile
from cilsim.results.sums import read_sums

MEANS = "mean"

logger = logging.getLogger(__name__)


class RunFolder:
    """`runs/<scenario>`, locked as long as the object that `open_or_create` returned lives.

    Close it, or use it as a context manager, to give the lock back earlier.

    Attributes:
        path: the folder.
        files: the files that lie directly in it, with their checksums.
        scenario: those of them that say what is run.
        status: its `status.json`.
    """

    def __init__(self, path: Path, lock: FolderLock | None = None) -> None:
        self.path = path
        self.files = SealedFolder(path)
        self.scenario = ScenarioFiles(self.files)
        self.status = StatusFile(path / "status.json")
        self._lock = lock

    @classmethod
    def open_or_create(
        cls,
        root: Path,
        scenario_name: str,
        scenario_text: str,
        resolved_text: str,
        scenario_hash: str,
        difference: Difference,
    ) -> RunFolder:
        """Return the locked folder `root/<scenario_name>`: a new one, or one to resume.

        Args:
            root: where runs lie, `runs` by default.
            scenario_name: names the folder.
            scenario_text: the scenario file as given; the first one is kept on a resume.
            resolved_text: YAML with all defaults; a top-level line `hash: ...` is added if it has
                none.
            scenario_hash: decides whether an existing folder belongs to this scenario.
            difference: explains another hash.

        Raises:
            RunFolderError: the folder is in use, belongs to another scenario or to something
                else, or cannot be written.
        """
        folder = root / _folder_name("scenario name", scenario_name)
        lock = _lock(folder)
        try:
            remove_stale(folder)
            texts = ScenarioTexts.of(scenario_text, resolved_text, scenario_hash)
            run_folder = cls(folder, lock)
            if run_folder.list_seed_folders():
                run_folder.scenario.take_up(texts, difference)
                run_folder._miss_status()
            else:  # nothing was run yet: an earlier command may have failed before it could
                run_folder.scenario.write(texts)
            run_folder.status.begin(f"cilsim resume {shlex.quote(str(folder))}")
        except BaseException:
            lock.release()
            raise
        return run_folder

    @classmethod
    def open_existing(cls, path: Path) -> RunFolder:
        """Return the run folder at or around `path`, without a lock, to read it.

        Args:
            path: a run folder or any folder inside, such as `runs/a/teen/seed-0`.

        Raises:
            RunFolderError: there is none; near names or the runs inside are given.
        """
        if not path.is_dir():
            hint = did_you_mean(path.name, _runs_in(path.parent))
            raise RunFolderError(f"{path}: no such run folder{hint}")
        around = (path, *path.parents, *path.resolve().parents)
        for folder in around:
            if _is_run_folder(folder):
                return cls(folder)
        inside = ", ".join(_runs_in(path))
        hint = f"; runs in it: {inside}" if inside else ""
        raise RunFolderError(f"{path}: is no run folder, it has no {RESOLVED}{hint}")

    @property
    def scenario_text(self) -> str:
        """The scenario file as it was given."""
        return self.scenario.given

    @property
    def resolved_text(self) -> str:
        """The scenario with all defaults and its hash."""
        return self.scenario.resolved

    def seed_folder(self, strategy_label: str, seed: int) -> SeedFolder:
        """Return where one strategy with one seed writes; nothing is created yet.

        Raises:
            RunFolderError: the label cannot name a folder.
        """
        label = _folder_name("strategy label", strategy_label)
        return SeedFolder(self.path / label / f"seed-{seed}", label, seed)

    def list_seed_folders(self) -> list[SeedFolder]:
        """Return the seed folders that exist, by strategy label and then by seed."""
        found = []
        for path in self.path.glob("*/seed-*"):
            seed = re.fullmatch(r"seed-(-?\d+)", path.name)
            if seed and path.is_dir() and not path.parent.name.startswith("."):
                found.append(SeedFolder(path, path.parent.name, int(seed[1])))
        return sorted(found, key=lambda folder: (folder.strategy, folder.seed))

    def seal(self) -> None:
        """List the event files with means over seeds, which a reporter has just written.

        Raises:
            RunFolderError: the folder cannot be written.
        """
        paths = self.path.glob(f"*/{MEANS}/{EVENT_FILES}")
        self.files.adopt_all(path.relative_to(self.path).as_posix() for path in paths)

    def close(self) -> None:
        """Give the lock back, so that another process may use the folder."""
        if self._lock is not None:
            self._lock.release()

    def __enter__(self) -> RunFolder:
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()

    def _miss_status(self) -> None:
        if not self.status.path.exists():
            logger.warning("%s: is missing; it is written anew", self.status.path)


def _folder_name(what: str, name: str) -> str:
    if re.fullmatch(r"(?!\.)[^/\\\x00-\x1f]+", name) is None:
        raise RunFolderError(
            f"{what} '{name}' cannot name a folder; it must not be empty, begin with '.' or "
            f"contain '/' or '\\'"
        )
    return name


def _lock(folder: Path) -> FolderLock:
    """Return the lock of a folder that is made if missing, and refused if it is somebody else's."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        foreign = not _is_run_folder(folder) and any(_contents(folder))
    except OSError as error:
        raise RunFolderError(
            f"{cannot_write(folder, error)}; choose another place with --out"
        ) from error
    if foreign:
        raise RunFolderError(
            f"{folder}: is not empty and no run folder, it has no {RESOLVED}; choose another name, "
            f"or another place with --out"
        )
    lock = FolderLock(folder)
    lock.acquire()
    return lock


def _is_run_folder(folder: Path) -> bool:
    """Return whether `resolved.yaml` is here, or is listed and was lost or about to be written."""
    if (folder / RESOLVED).is_file():
        return True
    sums = read_sums(folder)
    return sums is not None and sums.knows(RESOLVED)


def _contents(folder: Path) -> Iterable[str]:
    names = (path.name for path in folder.iterdir())
    return (name for name in names if name != LOCK_FILE and not is_stale(name))


def _runs_in(folder: Path) -> list[str]:
    return sorted(path.parent.name for path in folder.glob(f"*/{RESOLVED}"))
