"""The file of the index: SQLite, thrown away and made anew whenever it is of no use.

Several processes may write it at once: each takes the write lock for the folders that it has just
found changed, and waits for the others.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from cilsim.errors import RunFolderError
from cilsim.index.entry import COLUMNS, IndexedRun

INDEX_FILE = ".index.sqlite"
VERSION = 1
"""Raised when the tables or what is read from run folders change."""
WAIT_SECONDS = 60.0
"""How long to wait for another process that writes."""

_SQL_TYPES = {"str": "TEXT", "int": "INTEGER", "float": "REAL"}
_RUN_COLUMNS = ", ".join(f"{name} {_SQL_TYPES[kind]} NOT NULL" for name, kind in COLUMNS.items())
_TABLES = f"""
CREATE TABLE place (id INTEGER PRIMARY KEY, path TEXT NOT NULL UNIQUE, mark TEXT NOT NULL);
CREATE TABLE run (id INTEGER PRIMARY KEY, place INTEGER NOT NULL, {_RUN_COLUMNS});
CREATE TABLE name (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE metric (
    name INTEGER NOT NULL, run INTEGER NOT NULL, value REAL NOT NULL, PRIMARY KEY (name, run)
) WITHOUT ROWID;
CREATE INDEX run_by_place ON run (place);
CREATE INDEX run_by_strategy ON run (strategy);
CREATE INDEX run_by_scenario ON run (scenario);
CREATE INDEX run_by_updated ON run (updated);
CREATE INDEX metric_by_value ON metric (name, value);
CREATE INDEX metric_by_run ON metric (run);
PRAGMA user_version = {VERSION};
"""


class Unusable(Exception):
    """The file is damaged or of another version."""


def connect(path: Path | None) -> sqlite3.Connection:
    """Return a connection to an index with its tables; None keeps it in memory.

    Raises:
        Unusable: the file is damaged or of another version.
        sqlite3.OperationalError: the place cannot be written, or others write for too long.
    """
    connection = sqlite3.connect(
        ":memory:" if path is None else path, timeout=WAIT_SECONDS, isolation_level=None
    )
    try:
        # what a power cut may take is made again; a kill takes nothing
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("PRAGMA cache_size = -65536")
        _prepare(connection)
    except sqlite3.OperationalError:
        connection.close()
        raise
    except (sqlite3.DatabaseError, Unusable) as error:
        connection.close()
        raise Unusable(str(error)) from error
    return connection


def _prepare(connection: sqlite3.Connection) -> None:
    if _version(connection) == VERSION:
        return
    with writing(connection):
        version = _version(connection)  # another process may just have made the tables
        if version == 0:
            for statement in _TABLES.split(";"):
                connection.execute(statement)
        elif version != VERSION:
            raise Unusable(f"it is of version {version}, expected {VERSION}")


def _version(connection: sqlite3.Connection) -> int:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    return int(version)


@contextmanager
def writing(connection: sqlite3.Connection) -> Iterator[None]:
    """Hold the write lock for a block, whose changes are made together or not at all."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        with suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def tune(connection: sqlite3.Connection) -> None:
    """Let SQLite look, at a sample, how values are distributed, to choose how it searches."""
    connection.execute("PRAGMA analysis_limit = 1000")
    connection.execute("ANALYZE")


def forget(path: Path) -> None:
    """Remove an index.

    Raises:
        RunFolderError: it cannot be removed.
    """
    try:
        for part in (path, path.with_name(f"{path.name}-journal")):
            part.unlink(missing_ok=True)
    except OSError as error:
        raise RunFolderError(f"{path}: cannot be removed: {error.strerror}") from error


def replace_place(
    connection: sqlite3.Connection, path: str, mark: str, runs: Iterable[IndexedRun]
) -> None:
    """Put the runs of one run folder in place of those that are known."""
    remove_place(connection, path)
    place = connection.execute(
        "INSERT INTO place (path, mark) VALUES (?, ?)", (path, mark)
    ).lastrowid
    columns = ", ".join(("place", *COLUMNS))
    marks = ", ".join("?" * (1 + len(COLUMNS)))
    for run in runs:
        values = (place, *(getattr(run, name) for name in COLUMNS))
        row = connection.execute(f"INSERT INTO run ({columns}) VALUES ({marks})", values).lastrowid
        _insert_metrics(connection, row, run.metrics)


def remove_place(connection: sqlite3.Connection, path: str) -> None:
    """Forget the runs of one run folder; it is no error not to know it."""
    found = connection.execute("SELECT id FROM place WHERE path = ?", (path,)).fetchone()
    if found is not None:
        of_place = "SELECT id FROM run WHERE place = ?"
        connection.execute(f"DELETE FROM metric WHERE run IN ({of_place})", found)
        connection.execute("DELETE FROM run WHERE place = ?", found)
        connection.execute("DELETE FROM place WHERE id = ?", found)


def _insert_metrics(
    connection: sqlite3.Connection, run: int | None, metrics: Mapping[str, float]
) -> None:
    names = [(name,) for name in metrics]
    connection.executemany("INSERT OR IGNORE INTO name (name) VALUES (?)", names)
    connection.executemany(
        "INSERT INTO metric (name, run, value) SELECT id, ?, ? FROM name WHERE name = ?",
        [(run, value, name) for name, value in metrics.items()],
    )
