"""Mixed streams: stages of one's own making, with labels, without, or in between."""

from __future__ import annotations

import numpy as np

from cilsim.data.dataset import DataFacts
from cilsim.records import IntArray
from cilsim.scenario.draw import draw_seed
from cilsim.scenario.mixed_options import MixedOptions, StageOptions
from cilsim.seeding import derive_seed
from cilsim.streams.plan import NO_SAMPLES, ExperiencePlan, StreamPlan, blocks, labels_of, members


def mixed(options: MixedOptions, facts: DataFacts, order: tuple[int, ...], seed: int) -> StreamPlan:
    """Return the plan; every draw depends on seed, stage and class alone."""
    sizes = options.sizes_for(len(order))
    used = order[: sum(sizes)]
    train, test = labels_of(facts.y_train, used), labels_of(facts.y_test, used)
    draw = draw_seed(options.draw, seed)
    experiences = []
    for index, (stage, labels) in enumerate(zip(options.stages, blocks(sizes), strict=True)):
        labelled, unlabelled = _samples_of_new_classes(stage, train, labels, (draw, index))
        seen = _samples_of_seen_classes(stage, train, labels[0], (draw, index))
        experiences.append(
            ExperiencePlan(
                index=index,
                name=_name(index, stage),
                new_labels=labels,
                labelled=labelled,
                unlabelled=np.sort(np.concatenate([unlabelled, seen])),
                test=members(test, labels),
                novel_classes=0 if stage.labelled else len(labels),
            )
        )
    return StreamPlan(
        "mixed",
        " + ".join(_spelled(stage) for stage in options.stages),
        used,
        tuple(experiences),
        groups=("old", "new"),
        class_count=options.number_of_classes,
    )


def _samples_of_new_classes(
    stage: StageOptions, train: IntArray, labels: tuple[int, ...], place: tuple[int, int]
) -> tuple[IntArray, IntArray]:
    """Return positions of labelled and of unlabelled samples of the classes that appear."""
    labelled, unlabelled = [NO_SAMPLES], [NO_SAMPLES]
    for label in labels:
        drawn = _shuffled(train, label, (*place, "new"))[: stage.samples]
        known = 0 if not stage.labelled else max(1, round(stage.labelled * len(drawn)))
        labelled.append(drawn[:known])
        unlabelled.append(drawn[known:])
    return np.sort(np.concatenate(labelled)), np.concatenate(unlabelled)


def _samples_of_seen_classes(
    stage: StageOptions, train: IntArray, classes: int, place: tuple[int, int]
) -> IntArray:
    drawn = [
        _shuffled(train, label, (*place, "seen"))[: stage.seen_samples] for label in range(classes)
    ]
    return np.concatenate([NO_SAMPLES, *drawn])


def _shuffled(train: IntArray, label: int, place: tuple[int | str, ...]) -> IntArray:
    generator = np.random.default_rng(derive_seed(*place, "mixed", label))
    return generator.permutation(np.flatnonzero(train == label)).astype(np.int64)


def _name(index: int, stage: StageOptions) -> str:
    return f"stage {index}, {'labelled' if stage.labelled else 'discovery'}"


def _spelled(stage: StageOptions) -> str:
    if stage.labelled == 1.0:
        return f"{stage.classes} labelled"
    if stage.labelled == 0.0:
        return f"{stage.classes} to discover"
    return f"{stage.classes} ({stage.labelled:g} labelled)"
