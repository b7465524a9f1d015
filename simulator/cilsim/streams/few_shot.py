"""Few-shot class-incremental streams: many base samples, then `shot` samples of `way` classes.

Protocol of Tao et al. 2020 (TOPIC) as run by CEC, FACT and TEEN: session s brings classes
`base + (s-1) way ... base + s way - 1`, only its shots are available, and evaluation is over all
classes seen so far.
"""

from __future__ import annotations

import numpy as np

from cilsim.data.dataset import DataFacts
from cilsim.records import IntArray
from cilsim.scenario.stream_options import FewShotOptions
from cilsim.seeding import derive_seed
from cilsim.streams.plan import NO_SAMPLES, ExperiencePlan, StreamPlan, blocks, labels_of, members

PUBLISHED_SEED = 1


def few_shot_class_incremental(
    options: FewShotOptions, facts: DataFacts, order: tuple[int, ...], seed: int
) -> StreamPlan:
    """Return the plan; `seed`, the training seed, draws the shots if they are `per_seed`."""
    sessions = options.sessions_for(len(order))
    sizes = [options.base_classes, *[options.way] * sessions]
    used = order[: sum(sizes)]
    train, test = labels_of(facts.y_train, used), labels_of(facts.y_test, used)
    experiences = tuple(
        ExperiencePlan(
            index=index,
            name="base" if index == 0 else f"session {index}",
            new_labels=labels,
            labelled=members(train, labels)
            if index == 0
            else _shots(train, labels, options, used, seed),
            unlabelled=NO_SAMPLES,
            test=members(test, labels),
        )
        for index, labels in enumerate(blocks(sizes))
    )
    protocol = f"{options.base_classes} + {sessions}x{options.way}-way {options.shot}-shot"
    return StreamPlan(
        "few_shot_class_incremental", protocol, used, experiences, groups=("base", "novel")
    )


def published_shots(count: int, shot: int) -> IntArray:
    """Return the ranks of the shots among the `count` samples of a class, in drawn order.

    The index lists that TOPIC, CEC, FACT and TEEN share are
    `RandomState(1).permutation(count)[:shot]`, the same for every class of equal size.
    """
    return np.random.RandomState(PUBLISHED_SEED).permutation(count)[:shot].astype(np.int64)


def seeded_shots(count: int, shot: int, seed: int, class_id: int) -> IntArray:
    """Return ranks drawn freely: another draw for every class and every seed."""
    generator = np.random.default_rng(derive_seed(seed, "shots", class_id))
    return generator.permutation(count)[:shot].astype(np.int64)


def _shots(
    train: IntArray,
    labels: tuple[int, ...],
    options: FewShotOptions,
    order: tuple[int, ...],
    seed: int,
) -> IntArray:
    """Return positions of the shots, class by class, in drawn order."""
    draw_seed = options.shot_seed(seed)
    chosen = []
    for label in labels:
        samples = np.flatnonzero(train == label)
        ranks = (
            published_shots(len(samples), options.shot)
            if draw_seed is None
            else seeded_shots(len(samples), options.shot, draw_seed, order[label])
        )
        chosen.append(samples[ranks])
    return np.concatenate(chosen)
