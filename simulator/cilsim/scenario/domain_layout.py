"""Which domains of a data set an experience learns and is tested on, and what is missing for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cilsim.scenario.domain_options import DomainIncrementalOptions
from cilsim.scenario.facts import DomainFacts
from cilsim.scenario.stream_options import DoesNotFit

if TYPE_CHECKING:
    from cilsim.records import IntArray


@dataclass(frozen=True)
class DomainLayout:
    """Where the samples of each experience lie.

    Attributes:
        domains: positions in the data set's `domain_names`, one tuple per experience.
        train: (N,) positions of training samples per experience.
        test: (N,) positions of test samples per experience; with a fixed test set all of them
            are in experience 0.
    """

    domains: tuple[tuple[int, ...], ...]
    train: tuple[IntArray, ...]
    test: tuple[IntArray, ...]


def domain_layout(options: DomainIncrementalOptions, facts: DomainFacts) -> DomainLayout:
    """Return the layout of a domain-incremental stream.

    Raises:
        DoesNotFit: the data set does not have what is asked for.
    """
    if facts.domain_train is None or facts.domain_test is None:
        raise DoesNotFit(
            "dataset",
            "{dataset} does not say from which domain a sample is; glyphs100 does, and an .npz "
            "file with domain_train and domain_test",
        )
    trainable = sorted(set(facts.domain_train.tolist()))
    domains = options.experiences_for(facts.domain_names, trainable)
    train = tuple(_members(facts.domain_train, chosen) for chosen in domains)
    _check_classes(facts, domains[0], train[0])
    fixed = options.fixed_for(facts.domain_names)
    tested = domains if fixed is None else (fixed, *[()] * (len(domains) - 1))
    test = tuple(_members(facts.domain_test, chosen) for chosen in tested)
    for chosen, positions in zip(tested, test, strict=True):
        if chosen and not len(positions):
            raise DoesNotFit(
                "test" if fixed is None else "test.fixed",
                f"{{dataset}} has no test sample of {_listed(facts, chosen)}"
                + ("; 'test: {fixed: [...]}' tests on other domains" if fixed is None else ""),
            )
    return DomainLayout(domains, train, test)


def _members(domain_of: Any, chosen: tuple[int, ...]) -> IntArray:
    """Return the positions of all samples of some domains, ascending."""
    import numpy as np

    positions: IntArray = np.flatnonzero(np.isin(domain_of, np.asarray(chosen, dtype=np.int64)))
    return positions


def _check_classes(facts: DomainFacts, domains: tuple[int, ...], train: IntArray) -> None:
    """Refuse a class that does not begin in experience 0."""
    present = set(facts.y_train[train].tolist())
    names = zip(facts.class_ids, facts.class_names, strict=True)
    missing = [name for class_id, name in names if class_id not in present]
    if missing:
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise DoesNotFit(
            "domains",
            f"all classes begin in experience 0, whose {_listed(facts, domains)} of {{dataset}} "
            f"has no training sample of class '{missing[0]}'{more}; more domains per experience "
            "or another first domain may have",
        )


def _listed(facts: DomainFacts, domains: tuple[int, ...]) -> str:
    names = ", ".join(f"'{facts.domain_names[domain]}'" for domain in domains)
    return f"domain {names}" if len(domains) == 1 else f"domains {names}"
