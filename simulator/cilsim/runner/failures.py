"""What is left of a run that failed: a line in the log, its traceback in the folder."""

from __future__ import annotations

import logging
import traceback
from contextlib import suppress

from cilsim.errors import CilsimError, Interrupted, RunFailed, RunFolderError, in_one_line
from cilsim.results.atomic import write_text
from cilsim.results.seed_folder import SeedFolder

logger = logging.getLogger(__name__)

TRACEBACK = "error.txt"
"""The traceback of a run that failed; gone once the run is finished."""


def note_failure(folder: SeedFolder, error: CilsimError) -> None:
    """Log one line about a failed run and keep the traceback where the line says."""
    path = folder.path / TRACEBACK
    where = f"; traceback in {path}"
    try:
        write_text(path, "".join(traceback.format_exception(error)))
    except RunFolderError:  # the failure itself is what the user has to know
        where = ""
    logger.error(
        "%s/seed-%d failed: %s%s", folder.strategy, folder.seed, error, where, exc_info=error
    )


def forget_failure(folder: SeedFolder) -> None:
    """Remove the traceback of an earlier attempt."""
    with suppress(OSError):
        (folder.path / TRACEBACK).unlink(missing_ok=True)


def as_ours(error: BaseException) -> CilsimError:
    """Return what reporters are told about an error."""
    if isinstance(error, CilsimError):
        return error
    told: CilsimError = RunFailed(in_one_line(error))
    if isinstance(error, KeyboardInterrupt):
        told = Interrupted("stopped at once")
    told.__cause__ = error
    return told
