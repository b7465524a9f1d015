"""Where `cilsim advise` writes to: what cannot be used is refused before hours are spent."""

from __future__ import annotations

from pathlib import Path

from cilsim.cli.advice_text import WRITTEN_HERE
from cilsim.cli.future_folders import why_unwritable
from cilsim.errors import CilsimError


def refuse_places(out: Path, runs: Path) -> None:
    """Refuse places that cannot be written, and a file that was not written here.

    Args:
        out: the recommended scenario file.
        runs: folder of all runs; it need not exist.

    Raises:
        CilsimError: one of them cannot be used.
    """
    if out.exists() and not _written_here(out):
        raise CilsimError(
            f"--out {out}: exists and was not written by 'cilsim advise' - choose another name"
        )
    _refuse_unwritable(f"--out {out}", out.parent)
    _refuse_unwritable(f"--runs {runs}", runs)


def _written_here(path: Path) -> bool:
    return path.is_file() and path.read_bytes().startswith(WRITTEN_HERE.encode())


def _refuse_unwritable(option: str, folder: Path) -> None:
    reason = why_unwritable(folder)
    if reason is not None:
        raise CilsimError(f"{option}: cannot be written: {reason} - choose another place")
