"""What `cilsim plugin check` says: one verdict per promise."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from cilsim.errors import CilsimError
from cilsim.testing.trial import Trial

State = Literal["PASS", "FAIL", "SKIP"]


class Broken(Exception):
    """A promise is not kept; the message says what was found."""


@dataclass(frozen=True)
class Verdict:
    """How one promise was kept.

    Attributes:
        kind: `strategy` or `calibrator`.
        name: of the strategy or calibrator.
        promise: what was tried.
        state: `SKIP` where there is nothing to judge.
        found: what was seen.
        helps: what to do about it, if it failed.
    """

    kind: str
    name: str
    promise: str
    state: State
    found: str
    helps: str = ""


@dataclass(frozen=True)
class Promise:
    """One thing that the engine, the reports or a user rely on.

    Attributes:
        name: the promise in a few words.
        keep: returns what was found, or raises `Broken`.
        helps: what to do where it is broken.
        needs_run: whether there is nothing to judge where the strategy cannot even run.
    """

    name: str
    keep: Callable[[Trial], str]
    helps: str
    needs_run: bool = True

    def judge(self, trial: Trial, runs: bool) -> Verdict:
        """Return the verdict on what `trial` tries; `runs` says whether that runs at all."""
        kind, name = trial.subject.entry.kind, trial.subject.entry.name
        if self.needs_run and not runs:
            return Verdict(kind, name, self.name, "SKIP", "it does not run")
        try:
            return Verdict(kind, name, self.name, "PASS", self.keep(trial))
        except (Broken, CilsimError) as error:
            found = " ".join(str(error).split())
            return Verdict(kind, name, self.name, "FAIL", found, self.helps)
