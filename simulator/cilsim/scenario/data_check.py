"""Asks the data set for its facts and complains about what the scenario wants beyond them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from cilsim.errors import DataError, PluginError, in_one_line
from cilsim.registry import Entry, Registries, load_target
from cilsim.scenario.class_order import class_ids_in_file, class_order_problems
from cilsim.scenario.facts_complaint import facts_complaint
from cilsim.scenario.lookup import Lookup
from cilsim.scenario.nodes import Node
from cilsim.scenario.schema import ClassOrder, NamedChoice
from cilsim.scenario.stream_section import CheckedStream


def check_data(
    stream: CheckedStream,
    order: tuple[ClassOrder, Node],
    backbone: tuple[NamedChoice | None, Node],
    registries: Registries,
    lookup: Lookup,
) -> None:
    """Complain about what the data set cannot give.

    Args:
        stream: the stream section.
        order: the class order and where it is written.
        backbone: the backbone, if it is known, and where it is written.
        registries: all that can be named.
        lookup: receives the complaints.
    """
    named = stream.node.child("dataset")
    if stream.dataset is None or named is None:
        return
    facts = _ask(registries.datasets[stream.dataset.name], "facts", named, lookup)(
        stream.dataset.options
    )
    if facts is None:
        return
    _check_backbone(*backbone, facts, stream.dataset.name, registries, lookup)
    class_ids = _stream_order(*order, facts, stream.dataset.name, lookup)
    if class_ids is None or stream.entry is None or stream.options is None:
        return
    check = _ask(stream.entry, "check", stream.node.child("kind") or stream.node, lookup)
    for option, message in check(stream.options, _in_order(facts, class_ids)) or ():
        _complain(stream, option, message, lookup)


def _check_backbone(
    backbone: NamedChoice | None,
    node: Node,
    facts: Any,
    dataset: str,
    registries: Registries,
    lookup: Lookup,
) -> None:
    """Complain about a backbone for images on features or the other way round, or by its check."""
    given = "features" if facts.features else "images"
    if backbone is None:
        return
    entry = registries.backbones[backbone.name]
    for option, message in _ask(entry, "check", node, lookup)(backbone.options, facts) or ():
        lookup.at_value(node.child(option) or node, message)
    fitting = [
        entry.name for entry in registries.backbones if entry.facts.get("accepts") in (None, given)
    ]
    if backbone.name not in fitting:
        shape = " x ".join(map(str, facts.sample_shape))
        lookup.at_value(
            node.child("name") or node,
            f"'{backbone.name}' does not take {given}, and {dataset} gives {given} of {shape}; "
            f"backbones that fit: {', '.join(fitting)}",
        )


def _ask(entry: Entry, fact: str, node: Node, lookup: Lookup) -> Callable[..., Any]:
    """Return a function that asks an entry for a fact, complaining at `node` if it fails.

    The function returns None where there is nothing to ask or no answer can be had.
    """

    def ask(*arguments: Any) -> Any:
        if entry.facts.get(fact) is None:
            return None
        try:
            return _call(entry, fact, arguments)
        except DataError as error:
            lookup.at_value(node, str(error))
        except PluginError as error:
            lookup.blame(node, error)
        return None

    return ask


def _call(entry: Entry, fact: str, arguments: tuple[Any, ...]) -> Any:
    function = load_target(entry.facts[fact], entry)
    who = f"plugin '{entry.owner.plugin}' of {entry.owner}: {entry.kind} '{entry.name}'"
    try:
        found = function(*arguments)
        # a generator of problems runs here, so that its errors are those of the plugin
        answer = (
            [(str(option), str(message)) for option, message in found or ()]
            if fact == "check"
            else _facts(found)
        )
    except (DataError, KeyboardInterrupt):
        raise
    except BaseException as error:  # a stranger's code may even call sys.exit
        raise PluginError(
            entry.owner.plugin, f"{who} fails in its '{fact}': {in_one_line(error)}"
        ) from error
    if fact == "facts" and not entry.owner.comes_with_cilsim and facts_complaint(answer):
        raise PluginError(entry.owner.plugin, f"{who}: {facts_complaint(answer)}")
    return answer


def _facts(found: Any) -> Any:
    """Return facts about data; anything else is told by its lack of what comes first of them."""
    for name in ("class_ids", "class_names", "y_train", "y_test", "sample_shape"):
        getattr(found, name)
    return found


def _stream_order(
    order: ClassOrder, node: Node, facts: Any, dataset: str, lookup: Lookup
) -> tuple[int, ...] | None:
    """Return the class ids in stream order, None if the given order is wrong.

    What a seed gives is not known here: it stands for the most favourable order, classes with the
    fewest samples first, where no shots are drawn.
    """
    if order.seed is not None:
        count = Counter(facts.y_train.tolist())
        return tuple(sorted(facts.class_ids, key=lambda class_id: count[class_id]))
    if order.is_natural:
        return tuple(facts.class_ids)
    written = node.child("list") or node.child("file") or node
    try:
        given = order.ids or () if order.file is None else class_ids_in_file(order.file)
    except DataError as error:
        lookup.at_value(written, str(error))
        return None
    problems = class_order_problems(given, facts.class_ids)
    for problem in problems:
        lookup.at_value(written, problem.replace("{dataset}", dataset))
    return None if problems else given


def _in_order(facts: Any, class_ids: tuple[int, ...]) -> Any:
    """Return the facts with classes in stream order."""
    name = dict(zip(facts.class_ids, facts.class_names, strict=True))
    names = tuple(name[class_id] for class_id in class_ids)
    return replace(facts, class_ids=class_ids, class_names=names)


def _complain(stream: CheckedStream, option: str, message: str, lookup: Lookup) -> None:
    """Note a complaint of a stream kind at the option that it is about."""
    node = stream.node
    for part in filter(None, option.split(".")):
        node = node.child(part) or node
    mark = stream.node.section_mark if node is stream.node else node.mark
    dataset = stream.dataset.name if stream.dataset else "the data set"
    path = f"{stream.node.dotted}.{option}".rstrip(".")
    lookup.findings.add(mark, path, message.replace("{dataset}", dataset))
