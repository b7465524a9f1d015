"""What the core itself registers, through the same hooks as any plugin."""

from __future__ import annotations

from cilsim.backbones.builtin import BACKBONES
from cilsim.data.builtin import DATASETS
from cilsim.hookspecs import hookimpl
from cilsim.registry import Register

cilsim_api = 1


@hookimpl
def cilsim_register_streams(register: Register) -> None:
    """Register the built-in stream kinds."""
    register(
        "class_incremental",
        "cilsim.streams.class_incremental:class_incremental",
        options="cilsim.scenario.stream_options:ClassIncrementalOptions",
        summary="disjoint classes, all their samples, one experience after another",
        aliases=("cil",),
        check="cilsim.scenario.feasibility:class_incremental",
    )
    register(
        "few_shot_class_incremental",
        "cilsim.streams.few_shot:few_shot_class_incremental",
        options="cilsim.scenario.stream_options:FewShotOptions",
        summary="many base samples, then sessions of `way` classes with `shot` samples each",
        aliases=("fscil",),
        check="cilsim.scenario.feasibility:few_shot_class_incremental",
    )
    register(
        "domain_incremental",
        "cilsim.streams.domain_incremental:domain_incremental",
        options="cilsim.scenario.domain_options:DomainIncrementalOptions",
        summary="all classes in every experience, each time from other domains",
        aliases=("dil",),
        check="cilsim.scenario.feasibility:domain_incremental",
        new_classes=False,
    )
    register(
        "novel_class_discovery",
        "cilsim.streams.novel_discovery:novel_class_discovery",
        options="cilsim.scenario.discovery_options:NovelClassDiscoveryOptions",
        summary="labelled classes, then novel classes without labels",
        aliases=("ncd",),
        check="cilsim.scenario.feasibility:novel_class_discovery",
        labelled=False,
    )
    register(
        "generalized_category_discovery",
        "cilsim.streams.generalized_discovery:generalized_category_discovery",
        options="cilsim.scenario.discovery_options:GeneralizedDiscoveryOptions",
        summary="one experience: some old samples labelled, the others mixed with novel classes",
        aliases=("gcd",),
        check="cilsim.scenario.feasibility:novel_class_discovery",
        labelled=False,
    )
    register(
        "continual_category_discovery",
        "cilsim.streams.continual_discovery:continual_category_discovery",
        options="cilsim.scenario.discovery_options:ContinualDiscoveryOptions",
        summary="labelled classes, then stages that mix new, earlier novel and old classes",
        aliases=("cgcd",),
        check="cilsim.scenario.feasibility:novel_class_discovery",
        labelled=False,
    )
    register(
        "mixed",
        "cilsim.streams.mixed:mixed",
        options="cilsim.scenario.mixed_options:MixedOptions",
        summary="stages of one's own making, with labels or without",
        check="cilsim.scenario.feasibility:mixed",
        labelled=False,
    )


@hookimpl
def cilsim_register_datasets(register: Register) -> None:
    """Register the built-in data sets."""
    for entry in DATASETS:
        register(
            entry.name,
            entry.load,
            facts=entry.facts,
            options=entry.options,
            summary=entry.summary,
            publication=entry.publication,
        )


@hookimpl
def cilsim_register_backbones(register: Register) -> None:
    """Register the built-in backbones."""
    for entry in BACKBONES:
        register(
            entry.name,
            entry.load,
            options=entry.options,
            summary=entry.summary,
            accepts=entry.accepts,
            check=entry.check,
            normalisation=entry.normalisation,
            weights=entry.weights,
        )
