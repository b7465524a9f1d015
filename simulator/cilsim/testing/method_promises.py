"""The promise about methods: what an author wrote to be called is called."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches

from cilsim.strategy import Calibrator, Strategy
from cilsim.testing.trial import Trial
from cilsim.testing.verdicts import Broken

ALIKE = 0.85
"""Names this much alike are a slip: `lern` and `score` are, `losses` and `load_state` are not."""


def overrides_what_there_is(trial: Trial) -> str:
    """Return which methods of the base class are overridden.

    A misspelt one would never be called, and the default run in its place without a word.
    """
    kind = trial.subject.entry.load()
    base = Calibrator if trial.subject.entry.kind == "calibrator" else Strategy
    if not (isinstance(kind, type) and issubclass(kind, base)):
        return "it is no class"
    slips = [
        f"'{name}' is called by nobody; did you mean '{meant}'?"
        for name, meant in _slips(kind, base)
    ]
    if slips:
        raise Broken(" ".join(slips))
    written = {name for author in _authors(kind, base) for name in _public(author)}
    overridden = sorted(written & _public(base))
    return f"overrides {', '.join(overridden)}" if overridden else "overrides nothing"


def _slips(kind: type, base: type) -> Iterator[tuple[str, str]]:
    """Return names that look like one of the base class's that their class does not define."""
    known = _public(base)
    for author in _authors(kind, base):
        for name in sorted(_public(author) - known):
            for meant in get_close_matches(name, known - _public(author), n=1, cutoff=ALIKE):
                yield name, meant


def _authors(kind: type, base: type) -> list[type]:
    """Return a class and its parents below `base`."""
    return [author for author in kind.__mro__ if not issubclass(base, author)]


def _public(author: type) -> set[str]:
    return {name for name in vars(author) if not name.startswith("_")}
