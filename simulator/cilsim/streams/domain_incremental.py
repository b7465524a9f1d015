"""Domain-incremental streams: all classes from the start, then samples of other domains.

The "new instances" streams of Lomonaco and Maltoni 2017 (CORe50), and the domain-incremental ones
of Janson et al. 2022 and McDonnell et al. 2023.
"""

from __future__ import annotations

from collections.abc import Sequence

from cilsim.data.dataset import DataFacts
from cilsim.scenario.domain_layout import domain_layout
from cilsim.scenario.domain_options import DomainIncrementalOptions
from cilsim.streams.plan import NO_SAMPLES, ExperiencePlan, StreamPlan


def domain_incremental(
    options: DomainIncrementalOptions, facts: DataFacts, order: tuple[int, ...], seed: int
) -> StreamPlan:
    """Return the plan; the training seed changes nothing here.

    Raises:
        DoesNotFit: the data set does not have what is asked for.
    """
    layout = domain_layout(options, facts)
    names = [[facts.domain_names[domain] for domain in domains] for domains in layout.domains]
    experiences = tuple(
        ExperiencePlan(
            index=index,
            name=_name(names[index]),
            new_labels=tuple(range(len(order))) if index == 0 else (),
            labelled=layout.train[index],
            unlabelled=NO_SAMPLES,
            test=layout.test[index],
        )
        for index in range(len(names))
    )
    protocol = f"{len(order)} classes, {options.domains_per_experience} of {sum(map(len, names))} "
    protocol += "domains per experience"
    fixed = options.fixed_for(facts.domain_names)
    if fixed is not None:
        protocol += ", fixed test: " + ", ".join(facts.domain_names[domain] for domain in fixed)
    return StreamPlan("domain_incremental", protocol, order, experiences, groups=("base", "novel"))


def _name(domains: Sequence[str]) -> str:
    """Return what an experience is called: its domain, or the first and the last of them."""
    return domains[0] if len(domains) == 1 else f"{domains[0]} to {domains[-1]}"
