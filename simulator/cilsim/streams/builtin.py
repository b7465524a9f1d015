"""Which stream kinds the core brings, as a plugin would register its own; imports none of them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class StreamDeclaration:
    """What `register` takes for a stream kind.

    Attributes:
        name: as in a scenario.
        load: `module:function`, called with (options, facts, class order, seed).
        options: `module:class`, the model that validates its options.
        summary: one line for `cilsim list streams`.
        check: `module:function`, told (options, facts of the data set); yields complaints.
        aliases: other names.
        labelled: whether every experience has labels for all of its samples.
        new_classes: whether every experience brings classes.
    """

    name: str
    load: str
    options: str
    summary: str
    check: str
    aliases: tuple[str, ...] = ()
    labelled: bool = True
    new_classes: bool = True


STREAMS = (
    StreamDeclaration(
        name="class_incremental",
        load="cilsim.streams.class_incremental:class_incremental",
        options="cilsim.scenario.stream_options:ClassIncrementalOptions",
        summary="disjoint classes, all their samples, one experience after another",
        aliases=("cil",),
        check="cilsim.scenario.feasibility:class_incremental",
    ),
    StreamDeclaration(
        name="few_shot_class_incremental",
        load="cilsim.streams.few_shot:few_shot_class_incremental",
        options="cilsim.scenario.stream_options:FewShotOptions",
        summary="many base samples, then sessions of `way` classes with `shot` samples each",
        aliases=("fscil",),
        check="cilsim.scenario.feasibility:few_shot_class_incremental",
    ),
    StreamDeclaration(
        name="domain_incremental",
        load="cilsim.streams.domain_incremental:domain_incremental",
        options="cilsim.scenario.domain_options:DomainIncrementalOptions",
        summary="all classes in every experience, each time from other domains",
        aliases=("dil",),
        check="cilsim.scenario.feasibility:domain_incremental",
        new_classes=False,
    ),
    StreamDeclaration(
        name="novel_class_discovery",
        load="cilsim.streams.novel_discovery:novel_class_discovery",
        options="cilsim.scenario.discovery_options:NovelClassDiscoveryOptions",
        summary="labelled classes, then novel classes without labels",
        aliases=("ncd",),
        check="cilsim.scenario.feasibility:novel_class_discovery",
        labelled=False,
    ),
    StreamDeclaration(
        name="generalized_category_discovery",
        load="cilsim.streams.generalized_discovery:generalized_category_discovery",
        options="cilsim.scenario.discovery_options:GeneralizedDiscoveryOptions",
        summary="one experience: some old samples labelled, the others mixed with novel classes",
        aliases=("gcd",),
        check="cilsim.scenario.feasibility:novel_class_discovery",
        labelled=False,
    ),
    StreamDeclaration(
        name="continual_category_discovery",
        load="cilsim.streams.continual_discovery:continual_category_discovery",
        options="cilsim.scenario.discovery_options:ContinualDiscoveryOptions",
        summary="labelled classes, then stages that mix new, earlier novel and old classes",
        aliases=("cgcd",),
        check="cilsim.scenario.feasibility:novel_class_discovery",
        labelled=False,
    ),
    StreamDeclaration(
        name="mixed",
        load="cilsim.streams.mixed:mixed",
        options="cilsim.scenario.mixed_options:MixedOptions",
        summary="stages of one's own making, with labels or without",
        check="cilsim.scenario.feasibility:mixed",
        labelled=False,
    ),
)
