"""Generalised category discovery: one experience in which few of the samples have labels."""

from __future__ import annotations

import numpy as np

from cilsim.data.dataset import DataFacts
from cilsim.errors import StreamError
from cilsim.records import IntArray
from cilsim.scenario.discovery_options import GeneralizedDiscoveryOptions
from cilsim.scenario.draw import draw_seed
from cilsim.streams.plan import ExperiencePlan, StreamPlan, labels_of, members


def generalized_category_discovery(
    options: GeneralizedDiscoveryOptions, facts: DataFacts, order: tuple[int, ...], seed: int
) -> StreamPlan:
    """Return the plan of Vaze et al. 2022: a single experience, old classes first.

    Labelled samples come in drawn order, unlabelled ones in that of the data set.

    Raises:
        StreamError: the draw leaves an old class without a labelled sample.
    """
    novel = options.novel_for(len(order))
    used = order[: options.old_classes + novel]
    labels = tuple(range(len(used)))
    train, test = labels_of(facts.y_train, used), labels_of(facts.y_test, used)
    old = members(train, labels[: options.old_classes])
    chosen = draw_seed(options.draw, seed)
    labelled = old[labelled_positions(len(old), options.labelled_share, chosen)]
    _check_every_class(labelled, train, options, facts, used)
    everything = members(train, labels)
    experience = ExperiencePlan(
        index=0,
        name="discovery",
        new_labels=labels,
        labelled=labelled,
        unlabelled=everything[~np.isin(everything, labelled)],
        test=members(test, labels),
        novel_classes=novel,
    )
    return StreamPlan(
        "generalized_category_discovery",
        f"{options.old_classes} old ({options.labelled_share:g} labelled) + {novel} new",
        used,
        (experience,),
        groups=("old", "new"),
        class_count=options.number_of_classes,
    )


def labelled_positions(count: int, share: float, seed: int) -> IntArray:
    """Return which of `count` samples of old classes are labelled, in drawn order.

    The released code resets NumPy's generator to 0 and draws floor(count / 2) without replacement
    over all old classes together, so that classes are balanced in expectation only.
    """
    drawn = np.random.RandomState(seed).choice(count, int(share * count), replace=False)
    return drawn.astype(np.int64)


def _check_every_class(
    labelled: IntArray,
    train: IntArray,
    options: GeneralizedDiscoveryOptions,
    facts: DataFacts,
    used: tuple[int, ...],
) -> None:
    counts = np.bincount(train[labelled], minlength=options.old_classes)
    empty = np.flatnonzero(counts[: options.old_classes] == 0)
    if len(empty):
        names = dict(zip(facts.class_ids, facts.class_names, strict=True))
        raise StreamError(
            f"stream.labelled_share: {options.labelled_share:g} leaves class "
            f"'{names[used[int(empty[0])]]}' without a labelled sample; a larger share is needed"
        )
