"""Novel class discovery: labelled classes first, then stages of novel classes without labels."""

from __future__ import annotations

from cilsim.data.dataset import DataFacts
from cilsim.scenario.discovery_options import NovelClassDiscoveryOptions
from cilsim.streams.plan import NO_SAMPLES, ExperiencePlan, StreamPlan, blocks, labels_of, members


def novel_class_discovery(
    options: NovelClassDiscoveryOptions, facts: DataFacts, order: tuple[int, ...], seed: int
) -> StreamPlan:
    """Return the plan: label sets are disjoint; labelled samples are gone or come with each stage.

    Gone, it is class-incremental novel class discovery (Roy et al. 2022, class-iNCD); kept, it is
    novel class discovery as in Han et al. 2019 (DTC) and Fini et al. 2021 (UNO).
    """
    novel = options.novel_for(len(order))
    sizes = [options.labelled_classes, *[novel // options.stages] * options.stages]
    used = order[: sum(sizes)]
    train, test = labels_of(facts.y_train, used), labels_of(facts.y_test, used)
    base = members(train, range(options.labelled_classes))
    later = base if options.keep_labelled else NO_SAMPLES
    experiences = tuple(
        ExperiencePlan(
            index=index,
            name="labelled" if index == 0 else f"stage {index}",
            new_labels=labels,
            labelled=later if index else base,
            unlabelled=members(train, labels) if index else NO_SAMPLES,
            test=members(test, labels),
            novel_classes=len(labels) if index else 0,
        )
        for index, labels in enumerate(blocks(sizes))
    )
    protocol = f"{options.labelled_classes} labelled + {novel} novel"
    if options.stages > 1:
        protocol += f" in {options.stages} stages"
    if options.keep_labelled:
        protocol += ", labelled samples kept"
    return StreamPlan(
        "novel_class_discovery",
        protocol,
        used,
        experiences,
        groups=("old", "new"),
        class_count=options.number_of_classes,
    )
