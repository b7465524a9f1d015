"""Novel class discovery: labelled classes first, then stages of novel classes without labels."""

from __future__ import annotations

from cilsim.data.dataset import DataFacts
from cilsim.scenario.stream_options import NovelClassDiscoveryOptions
from cilsim.streams.plan import NO_SAMPLES, ExperiencePlan, StreamPlan, blocks, labels_of, members


def novel_class_discovery(
    options: NovelClassDiscoveryOptions, facts: DataFacts, order: tuple[int, ...], seed: int
) -> StreamPlan:
    """Return the plan: the label sets are disjoint and old samples are gone after their stage."""
    novel = options.novel_for(len(order))
    sizes = [options.labelled_classes, *[novel // options.stages] * options.stages]
    used = order[: sum(sizes)]
    train, test = labels_of(facts.y_train, used), labels_of(facts.y_test, used)
    experiences = tuple(
        ExperiencePlan(
            index=index,
            name="labelled" if index == 0 else f"stage {index}",
            new_labels=labels,
            labelled=members(train, labels) if index == 0 else NO_SAMPLES,
            unlabelled=NO_SAMPLES if index == 0 else members(train, labels),
            test=members(test, labels),
        )
        for index, labels in enumerate(blocks(sizes))
    )
    protocol = f"{options.labelled_classes} labelled + {novel} novel"
    if options.stages > 1:
        protocol += f" in {options.stages} stages"
    return StreamPlan("novel_class_discovery", protocol, used, experiences, groups=("old", "new"))
