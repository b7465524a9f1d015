"""What the core itself registers, through the same hooks as any plugin."""

from __future__ import annotations

from cilsim.backbones.builtin import BACKBONES
from cilsim.data.builtin import DATASETS
from cilsim.hookspecs import hookimpl
from cilsim.registry import Register
from cilsim.scenario.stream_options import (
    ClassIncrementalOptions,
    FewShotOptions,
    NovelClassDiscoveryOptions,
)

cilsim_api = 1


@hookimpl
def cilsim_register_streams(register: Register) -> None:
    """Register the built-in stream kinds."""
    register(
        "class_incremental",
        "cilsim.streams.class_incremental:class_incremental",
        options=ClassIncrementalOptions,
        summary="disjoint classes, all their samples, one experience after another",
        aliases=("cil",),
        check="cilsim.scenario.feasibility:class_incremental",
    )
    register(
        "few_shot_class_incremental",
        "cilsim.streams.few_shot:few_shot_class_incremental",
        options=FewShotOptions,
        summary="many base samples, then sessions of `way` classes with `shot` samples each",
        aliases=("fscil",),
        check="cilsim.scenario.feasibility:few_shot_class_incremental",
    )
    register(
        "novel_class_discovery",
        "cilsim.streams.novel_discovery:novel_class_discovery",
        options=NovelClassDiscoveryOptions,
        summary="labelled classes, then novel classes without labels",
        aliases=("ncd",),
        check="cilsim.scenario.feasibility:novel_class_discovery",
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
        )
