"""Continual category discovery: labelled classes, then stages that mix new and seen classes.

Protocol of Ma et al. 2024 (Happy), whose draws are reproduced one by one: NumPy is seeded with 0
for each old class before its labelled samples are drawn, goes on from there for the old samples
of the stages, and is seeded once more for the order and the samples of the novel classes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cilsim.data.dataset import DataFacts
from cilsim.records import IntArray
from cilsim.scenario.discovery_options import ContinualDiscoveryOptions
from cilsim.scenario.draw import draw_seed
from cilsim.streams.plan import NO_SAMPLES, ExperiencePlan, StreamPlan, labels_of, members


@dataclass(frozen=True)
class _Drawn:
    """What was drawn.

    Attributes:
        order: class ids in stream order.
        labelled: positions of the labelled samples of stage 0.
        unlabelled: positions of the unlabelled samples of each later stage.
    """

    order: tuple[int, ...]
    labelled: IntArray
    unlabelled: tuple[IntArray, ...]


def continual_category_discovery(
    options: ContinualDiscoveryOptions, facts: DataFacts, order: tuple[int, ...], seed: int
) -> StreamPlan:
    """Return the plan: stage 0 has labels, later stages none, and no sample is kept."""
    novel = options.novel_for(len(order))
    per_stage = novel // options.stages
    drawn = _draw(options, facts.y_train, order[: options.old_classes + novel], seed)
    test = labels_of(facts.y_test, drawn.order)
    sizes = [options.old_classes, *[per_stage] * options.stages]
    ends = np.cumsum(sizes).tolist()
    experiences = []
    for stage, (size, end) in enumerate(zip(sizes, ends, strict=True)):
        labels = tuple(range(end - size, end))
        experiences.append(
            ExperiencePlan(
                index=stage,
                name="labelled" if stage == 0 else f"stage {stage}",
                new_labels=labels,
                labelled=NO_SAMPLES if stage else drawn.labelled,
                unlabelled=drawn.unlabelled[stage - 1] if stage else NO_SAMPLES,
                test=members(test, labels),
                novel_classes=size if stage else 0,
            )
        )
    return StreamPlan(
        "continual_category_discovery",
        f"{options.old_classes} old + {options.stages}x{per_stage} new, {options.new_samples} "
        f"samples of a new class and {options.seen_samples} of a seen one per stage",
        drawn.order,
        tuple(experiences),
        groups=("old", "new"),
        class_count=options.number_of_classes,
    )


def _draw(
    options: ContinualDiscoveryOptions, y_train: IntArray, order: tuple[int, ...], seed: int
) -> _Drawn:
    chosen = draw_seed(options.draw, seed)
    old_ids, novel_ids = order[: options.old_classes], list(order[options.old_classes :])
    generator = np.random.RandomState(chosen)
    labelled, left = [], []
    for class_id in old_ids:
        generator.seed(chosen)
        members_N = np.flatnonzero(y_train == class_id)
        wanted = max(1, int(options.labelled_share * len(members_N)))
        ranks = _choose(generator, len(members_N), wanted)
        labelled.append(members_N[ranks])
        left.append(np.delete(members_N, ranks))
    seen = [
        [rest[_choose(generator, len(rest), options.seen_samples)] for rest in left]
        for _ in range(options.stages)
    ]
    generator.seed(chosen)
    if options.shuffle_novel:
        generator.shuffle(novel_ids)
    per_stage = len(novel_ids) // options.stages
    stages = []
    for stage, old_samples in enumerate(seen):
        novel_samples = []
        for place, class_id in enumerate(novel_ids[: (stage + 1) * per_stage]):
            members_N = np.flatnonzero(y_train == class_id)
            new = place >= stage * per_stage
            wanted = options.new_samples if new else options.seen_samples
            novel_samples.append(members_N[_choose(generator, len(members_N), wanted)])
        stages.append(np.concatenate([*old_samples, *novel_samples]))
    return _Drawn((*old_ids, *novel_ids), np.concatenate(labelled), tuple(stages))


def _choose(generator: np.random.RandomState, count: int, wanted: int) -> IntArray:
    """Return ranks of `wanted` samples out of `count`, or of all where there are fewer."""
    return generator.choice(count, min(wanted, count), replace=False).astype(np.int64)
