"""Nearest names for error messages."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that looks most like `name`, or None if none does."""
    by_folded = {candidate.casefold(): candidate for candidate in known}
    matches = get_close_matches(name.casefold(), by_folded, n=1, cutoff=0.6)
    return by_folded[matches[0]] if matches else None


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return `; did you mean 'x'?` or, if nothing is near, `; known: a, b`."""
    names = sorted(known)
    match = nearest(name, names)
    if match is not None:
        return f"; did you mean '{match}'?"
    return f"; known: {', '.join(names)}" if names else ""
