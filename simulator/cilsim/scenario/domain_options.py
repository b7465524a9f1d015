"""Options of domain-incremental streams, and which domains go where."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field, model_validator

from cilsim.naming import did_you_mean
from cilsim.options import Options
from cilsim.scenario.stream_options import Count, DoesNotFit, StreamOptions

Domains = Annotated[tuple[str | int, ...], Field(min_length=1)]


class FixedTest(Options):
    """One test set for all experiences, as CORe50 has it."""

    fixed: Domains
    """Domains whose test samples it has; `domains: all` learns nothing from them."""


class DomainIncrementalOptions(StreamOptions):
    """All classes in every experience, each time from other domains."""

    domains: Literal["all"] | Domains = "all"
    """Domains in stream order, by name. `all`: in the data set's order, those that have training
    samples and are not in a fixed test set."""
    domains_per_experience: Count = 1
    """How many domains an experience has."""
    test: Literal["own"] | FixedTest = "own"
    """`own`: the test samples of the domains seen so far. {fixed: [s3, s7]}: after every
    experience all test samples of these domains."""

    @model_validator(mode="after")
    def _no_repetition(self) -> DomainIncrementalOptions:
        lists = {"domains": self.domains}
        if isinstance(self.test, FixedTest):
            lists["test.fixed"] = self.test.fixed
        for key, listed in lists.items():
            counts = Counter(map(str, listed)) if isinstance(listed, tuple) else Counter[str]()
            twice = [name for name, count in counts.items() if count > 1]
            if twice:
                raise ValueError(f"{key}: domain '{twice[0]}' is there twice")
        return self

    def fixed_for(self, names: Sequence[str]) -> tuple[int, ...] | None:
        """Return the domains of the fixed test set as positions in `names`, None without one.

        Args:
            names: what the data set calls its domains.

        Raises:
            DoesNotFit: a name is unknown.
        """
        if isinstance(self.test, FixedTest):
            return _positions("test.fixed", self.test.fixed, names)
        return None

    def experiences_for(
        self, names: Sequence[str], trainable: Sequence[int]
    ) -> tuple[tuple[int, ...], ...]:
        """Return the domains of each experience as positions in `names`.

        Args:
            names: what the data set calls its domains.
            trainable: positions of the domains that have training samples.

        Raises:
            DoesNotFit: a name is unknown, a domain has no training samples, none is left, or they
                cannot be spread evenly.
        """
        chosen = self._chosen(names, trainable)
        if not chosen:
            raise DoesNotFit("test.fixed", "it leaves no domain of {dataset} to learn from")
        if len(chosen) % self.domains_per_experience:
            raise DoesNotFit(
                "domains_per_experience",
                f"{len(chosen)} domains of {{dataset}} cannot be spread evenly over experiences "
                f"of {self.domains_per_experience}",
            )
        starts = range(0, len(chosen), self.domains_per_experience)
        return tuple(chosen[start : start + self.domains_per_experience] for start in starts)

    def _chosen(self, names: Sequence[str], trainable: Sequence[int]) -> tuple[int, ...]:
        if self.domains == "all":
            fixed = self.fixed_for(names) or ()
            return tuple(domain for domain in trainable if domain not in fixed)
        chosen = _positions("domains", self.domains, names)
        empty = [names[domain] for domain in chosen if domain not in trainable]
        if empty:
            raise DoesNotFit(
                "domains", f"domain '{empty[0]}' of {{dataset}} has no training samples"
            )
        return chosen


def _positions(option: str, wanted: Sequence[str | int], names: Sequence[str]) -> tuple[int, ...]:
    places = {name: position for position, name in enumerate(names)}
    for name in map(str, wanted):
        if name not in places:
            raise DoesNotFit(
                option, f"{{dataset}} has no domain '{name}'{did_you_mean(name, names)}"
            )
    return tuple(places[str(name)] for name in wanted)
