"""Loads a scenario: reads, applies overrides, checks in two stages, tells every problem at once."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from cilsim.registry import Registries
from cilsim.scenario.data_check import check_data
from cilsim.scenario.explain import validate
from cilsim.scenario.file_model import ScenarioFile
from cilsim.scenario.findings import Findings
from cilsim.scenario.lookup import Lookup
from cilsim.scenario.nodes import Node
from cilsim.scenario.origin import Mark, Origin
from cilsim.scenario.overrides import apply_overrides, read_overrides
from cilsim.scenario.paths import resolve_paths
from cilsim.scenario.plain import plain_scenario
from cilsim.scenario.published_section import check_published
from cilsim.scenario.reading import read_text
from cilsim.scenario.schema import (
    NATURAL,
    ClassOrder,
    Head,
    NamedChoice,
    Scenario,
    SourceFile,
    StrategyChoice,
    StreamChoice,
)
from cilsim.scenario.short_forms import write_out
from cilsim.scenario.strategy_section import check_strategies
from cilsim.scenario.stream_section import check_stream
from cilsim.scenario.yaml_source import parse

COSINE_BY_DEFAULT = "few_shot_class_incremental"
"""The stream kind whose head is cosine unless the file says otherwise."""


def load_scenario(
    path: Path, registries: Registries, overrides: Sequence[str] = (), *, with_data: bool = True
) -> Scenario:
    """Return the checked scenario of a file.

    Args:
        path: a YAML file.
        registries: all that it may name.
        overrides: texts of the form `key.path=value`, applied in order.
        with_data: whether to ask the data set if it can give what the stream wants.

    Raises:
        ScenarioError: every problem found, in the order of the file.
    """
    text = read_text(path)
    origin = Origin(str(path), text, path.parent)
    return _load(origin, SourceFile(path, text), registries, overrides, with_data)


def load_text(
    text: str,
    where: str,
    registries: Registries,
    overrides: Sequence[str] = (),
    *,
    folder: Path | None = None,
    with_data: bool = True,
) -> Scenario:
    """Return the checked scenario of a text.

    Args:
        text: YAML.
        where: what problems call the text; without `name:` in it, it names the scenario as well.
        registries: all that it may name.
        overrides: as for `load_scenario`.
        folder: what relative paths are looked up in; the current folder by default.
        with_data: as for `load_scenario`.

    Raises:
        ScenarioError: every problem found.
    """
    text = text.removeprefix("\ufeff")
    origin = Origin(where, text, Path() if folder is None else folder)
    return _load(origin, SourceFile(None, text), registries, overrides, with_data)


def default_name(where: str) -> str:
    """Return the name of a scenario that gives none: the file's, made safe for a folder."""
    stem = re.sub(r"[^A-Za-z0-9._-]+", "-", Path(where).stem)[:100]
    return stem.strip("-._") or "scenario"


def _load(
    origin: Origin,
    source: SourceFile,
    registries: Registries,
    overrides: Sequence[str],
    with_data: bool,
) -> Scenario:
    findings = Findings()
    root = _root(origin, overrides, findings)
    if root is None:
        findings.raise_if_any()
        raise AssertionError("a scenario without root has a problem")
    file = validate(ScenarioFile, root, findings)
    lookup = Lookup(findings)
    stream = check_stream(root, registries, lookup)
    kind = stream.entry if stream else None
    strategies = check_strategies(root, kind, registries, lookup)
    backbone = lookup.choice(registries.backbones, root.fields["backbone"])
    order = _class_order(root)
    if with_data and stream is not None and order is not None:
        check_data(stream, order, (backbone, root.fields["backbone"]), registries, lookup)
    findings.raise_if_any()
    choice = stream.choice if stream else None
    if file is None or choice is None or backbone is None or order is None:
        raise AssertionError("whatever could not be checked has been complained about")
    name = file.name or default_name(origin.name)
    scenario = _assembled(file, name, choice, order[0], backbone, strategies, source)
    published = check_published(
        root, file.published, plain_scenario(scenario), choice.options,
        None if overrides else findings,
    )  # fmt: skip
    findings.raise_if_any()
    return replace(scenario, published=published)


def _root(origin: Origin, overrides: Sequence[str], findings: Findings) -> Node | None:
    """Return the written-out mapping of a scenario, overrides applied, or None."""
    read = read_overrides(overrides, findings)
    known = len(findings.found)
    root = parse(origin, findings)
    if root is None:
        return None
    root = replace(root, mark=Mark(origin))
    if not root.is_mapping:
        if len(findings.found) == known:
            findings.add(root.mark, "", _no_mapping(root))
        return None
    return apply_overrides(write_out(root, findings), read, findings)


def _no_mapping(root: Node) -> str:
    if root.value is None:
        return "the file is empty; a scenario needs at least 'stream' and 'strategy'"
    return f"expected keys and values such as 'stream: ...', found {root.found()}"


def _class_order(root: Node) -> tuple[ClassOrder, Node] | None:
    """Return the class order with absolute paths and its node, or None if it is wrong."""
    node = root.child("class_order")
    if node is None or node.value == "natural":
        return NATURAL, node or root
    order = validate(ClassOrder, node, Findings()) if node.is_mapping else None
    return None if order is None else (resolve_paths(order, node), node)


def _assembled(
    file: ScenarioFile,
    name: str,
    stream: StreamChoice,
    order: ClassOrder,
    backbone: NamedChoice,
    strategies: tuple[StrategyChoice, ...],
    source: SourceFile,
) -> Scenario:
    return Scenario(
        name=name,
        description=file.description,
        stream=stream,
        class_order=order,
        backbone=backbone,
        head=_head(file.head, stream.kind),
        strategies=strategies,
        seeds=file.seeds if isinstance(file.seeds, tuple) else (file.seeds,),
        base_training=file.base_training,
        training=file.training,
        evaluate=file.evaluate,
        deterministic=file.deterministic,
        data_on_device=file.data_on_device,
        threads=file.threads,
        checkpoints=file.checkpoints,
        published=file.published,
        source=source,
    )


def _head(head: Head, kind: str) -> Head:
    if "kind" in head.model_fields_set or kind != COSINE_BY_DEFAULT:
        return head
    return head.model_copy(update={"kind": "cosine"})
