"""Class-incremental streams: disjoint classes, all their samples, one experience after another."""

from __future__ import annotations

from cilsim.data.dataset import DataFacts
from cilsim.scenario.stream_options import ClassIncrementalOptions
from cilsim.streams.plan import NO_SAMPLES, ExperiencePlan, StreamPlan, blocks, labels_of, members


def class_incremental(
    options: ClassIncrementalOptions, facts: DataFacts, order: tuple[int, ...], seed: int
) -> StreamPlan:
    """Return the plan; the training seed changes nothing here."""
    sizes = options.sizes_for(len(order))
    used = order[: sum(sizes)]
    train, test = labels_of(facts.y_train, used), labels_of(facts.y_test, used)
    experiences = tuple(
        ExperiencePlan(
            index=index,
            name="base" if index == 0 else f"increment {index}",
            new_labels=labels,
            labelled=members(train, labels),
            unlabelled=NO_SAMPLES,
            test=members(test, labels),
        )
        for index, labels in enumerate(blocks(sizes))
    )
    return StreamPlan(
        "class_incremental", protocol(sizes), used, experiences, groups=("base", "novel")
    )


def protocol(sizes: tuple[int, ...]) -> str:
    """Return the sizes in the field's notation: B50-Inc10, B0-Inc20, or all of them."""
    base, *later = sizes
    if not later:
        return f"B{base}"
    if len(set(later)) == 1:
        return f"B0-Inc{base}" if base == later[0] else f"B{base}-Inc{later[0]}"
    return "sizes " + "-".join(map(str, sizes))
