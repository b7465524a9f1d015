"""Whether a data set can give what the options of a built-in stream kind ask for.

Each function has the form that a plugin hands in as the `check` of a stream kind: it takes the
options and the facts of the data set and returns `(option, message)` pairs; `{dataset}` in a
message is replaced by the name of the data set. `facts.class_ids` is in stream order where that is
known before the stream is built; with a seeded class order it is the most favourable order, so that
only what no order can give is complained about.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from cilsim.options import Options
from cilsim.scenario.discovery_options import (
    ContinualDiscoveryOptions,
    GeneralizedDiscoveryOptions,
    NovelClassDiscoveryOptions,
)
from cilsim.scenario.domain_layout import domain_layout
from cilsim.scenario.domain_options import DomainIncrementalOptions
from cilsim.scenario.facts import ClassFacts, DomainFacts
from cilsim.scenario.mixed_options import MixedOptions
from cilsim.scenario.stream_options import (
    ClassIncrementalOptions,
    DoesNotFit,
    FewShotOptions,
)

Problems = list[tuple[str, str]]


def class_incremental(options: ClassIncrementalOptions, facts: ClassFacts) -> Problems:
    """Return what a class-incremental stream asks for and the data set does not have."""
    return _fits(lambda: options.sizes_for(len(facts.class_ids)))


def few_shot_class_incremental(options: FewShotOptions, facts: ClassFacts) -> Problems:
    """Return what a few-shot stream asks for and the data set does not have."""
    problems = _fits(lambda: options.sessions_for(len(facts.class_ids)))
    if problems:
        return problems
    last = options.base_classes + options.way * options.sessions_for(len(facts.class_ids))
    return _too_few_shots(options, facts, last)


def domain_incremental(options: DomainIncrementalOptions, facts: DomainFacts) -> Problems:
    """Return what a domain-incremental stream asks for and the data set does not have."""
    return _fits(lambda: domain_layout(options, facts))


def novel_class_discovery(
    options: NovelClassDiscoveryOptions | GeneralizedDiscoveryOptions | ContinualDiscoveryOptions,
    facts: ClassFacts,
) -> Problems:
    """Return what a stream of novel, generalised or continual discovery asks for in vain."""
    return _fits(lambda: options.novel_for(len(facts.class_ids)))


def mixed(options: MixedOptions, facts: ClassFacts) -> Problems:
    """Return what a mixed stream asks for and the data set does not have."""
    return _fits(lambda: options.sizes_for(len(facts.class_ids)))


CHECKS: Mapping[str, Callable[[Any, Any], Problems]] = {
    "class_incremental": class_incremental,
    "few_shot_class_incremental": few_shot_class_incremental,
    "domain_incremental": domain_incremental,
    "novel_class_discovery": novel_class_discovery,
    "generalized_category_discovery": novel_class_discovery,
    "continual_category_discovery": novel_class_discovery,
    "mixed": mixed,
}


def feasibility_problems(
    kind: str, options: Options, facts: ClassFacts, dataset: str = "the data set"
) -> Problems:
    """Return `(option, message)` for all that a built-in stream kind asks for in vain.

    Args:
        kind: name of the stream kind; any other than a built-in one has no problems here.
        options: the options of that kind.
        facts: the facts of the data set, class ids in stream order.
        dataset: what messages call the data set.
    """
    check = CHECKS.get(kind)
    found = check(options, facts) if check else []
    return [(option, message.replace("{dataset}", dataset)) for option, message in found]


def _fits(ask: Callable[[], object]) -> Problems:
    try:
        ask()
    except DoesNotFit as refusal:
        return [(refusal.option, str(refusal))]
    return []


def _too_few_shots(options: FewShotOptions, facts: ClassFacts, last: int) -> Problems:
    """Return a problem if a class between the base and `last` has fewer samples than shots."""
    import numpy as np

    novel = list(zip(facts.class_ids, facts.class_names, strict=True))[options.base_classes : last]
    ids, counts = np.unique(facts.y_train, return_counts=True)
    count = dict(zip(ids.tolist(), counts.tolist(), strict=True))
    class_id, name = min(novel, key=lambda pair: count.get(pair[0], 0))
    fewest = count.get(class_id, 0)
    if fewest >= options.shot:
        return []
    return [
        (
            "shot",
            f"{options.shot} training samples of each new class are asked for, class '{name}' of "
            f"{{dataset}} has {fewest}",
        )
    ]
