"""Fetches one published file: goes on where it stopped, and keeps nothing that is not the file.

What has arrived lies in `<name>.part` beside the file, which appears under its own name only when
it has the published checksum.
"""

from __future__ import annotations

import logging
import os
import time
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from urllib.error import HTTPError

from filelock import FileLock, Timeout

from cilsim.data.publication import PublishedFile, md5_of
from cilsim.data.transfer_by_http import BadConnection, DiskTooSmall, Progress, transfer
from cilsim.errors import DataError

PART = ".part"
"""How the name of what has arrived so far ends."""

_WORTH_ANOTHER_TRY = (408, 425, 429, 500, 502, 503, 504)
_COMPLETE_OR_WRONG = 416
_LONGEST_PAUSE = 60.0
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Patience:
    """How long a bad connection is put up with.

    Attributes:
        retries: how often in a row nothing new may arrive before an address is given up.
        pause: seconds before the first retry; doubled with each.
        silence: seconds without a byte after which a connection counts as broken.
    """

    retries: int = 5
    pause: float = 1.0
    silence: float = 30.0


class _GivenUp(Exception):
    """An address does not have the file, or cannot be reached."""


def download(
    where: str,
    file: PublishedFile,
    folder: Path,
    progress: Progress,
    patience: Patience,
) -> Path:
    """Fetch a file into a folder that exists and return its path.

    Args:
        where: what errors begin with.
        file: has an address and a checksum.
        folder: gets the file; what an earlier attempt left there is gone on with.
        progress: told the bytes that are there, and how many there will be if that is known.
        patience: how long a bad connection is put up with.

    Raises:
        DataError: no address has it, what arrives is not the published file, another process is
            fetching it, or the folder cannot be written.
    """
    target = folder / file.name
    try:
        with FileLock(folder / f".{file.name}.lock", timeout=0):
            part = folder / f"{file.name}{PART}"
            _complete(where, file, part, progress, patience)
            os.replace(part, target)
    except Timeout as error:
        raise DataError(
            f"{where}: '{file.name}' is being fetched into '{folder}' by another process - "
            "wait for it"
        ) from error
    except DiskTooSmall as error:
        raise DataError(
            f"{where}: '{folder}' {error} - free some, or give another --root"
        ) from error
    except OSError as error:
        raise DataError(
            f"{where}: '{folder}' cannot be written: {error.strerror or error} - "
            "give a --root that can be written and has space"
        ) from error
    return target


def _complete(
    where: str, file: PublishedFile, part: Path, progress: Progress, patience: Patience
) -> None:
    """Bring `part` to the published checksum; what an earlier attempt left may prove useless."""
    for resumed in dict.fromkeys((part.exists(), False)):
        address = _from_any_address(where, file, part, progress, patience)
        found = md5_of(part)
        if found == file.md5:
            return
        part.unlink()
        if resumed:
            _log.warning("%s: what there was of '%s' is not it; begun anew", where, file.name)
    raise DataError(
        f"{where}: {address} has md5 {found} - published for '{file.name}' is {file.md5}; "
        "what arrived was removed, try again later or fetch it by hand"
    )


def _from_any_address(
    where: str, file: PublishedFile, part: Path, progress: Progress, patience: Patience
) -> str:
    """Fetch from the first address that works and return it."""
    complaints = []
    for address in file.addresses:
        try:
            _persist(where, address, part, progress, patience)
        except _GivenUp as error:
            complaints.append(f"{address}: {error}")
        else:
            return address
    raise DataError(
        f"{where}: '{file.name}' cannot be fetched: {'; '.join(complaints)} - "
        f"the same command goes on where it stopped, or put the file into '{part.parent}' by hand"
    )


def _persist(where: str, address: str, part: Path, progress: Progress, patience: Patience) -> None:
    """Transfer until everything is there; the tries are counted anew whenever something arrives."""
    failures = 0
    while True:
        before = size_of(part)
        try:
            transfer(address, part, progress, patience.silence)
        except (HTTPError, HTTPException, BadConnection) as error:
            if isinstance(error, HTTPError) and error.code == _COMPLETE_OR_WRONG and before:
                return  # the checksum tells which
            failures = 1 if size_of(part) > before else failures + 1
            reason = _reason(error)
            if not _worth_another_try(error) or failures > patience.retries:
                raise _GivenUp(reason) from error
        else:
            return
        pause = min(patience.pause * 2 ** (failures - 1), _LONGEST_PAUSE)
        _log.info("%s: %s: %s; again in %.0f s", where, address, reason, pause)
        time.sleep(pause)


def size_of(path: Path) -> int:
    """Return the bytes of a file, 0 if there is none."""
    with suppress(FileNotFoundError):
        return path.stat().st_size
    return 0


def _worth_another_try(error: Exception) -> bool:
    return not isinstance(error, HTTPError) or error.code in _WORTH_ANOTHER_TRY


def _reason(error: Exception) -> str:
    if isinstance(error, HTTPError):
        return f"the server answers {error.code} ({error.reason})"
    return str(error) or type(error).__name__
