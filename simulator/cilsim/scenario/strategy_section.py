"""Checks the strategies of a scenario: names, options, labels, calibrators, what they can serve."""

from __future__ import annotations

from collections.abc import Sequence

from cilsim.naming import did_you_mean
from cilsim.registry import Entry, Registries
from cilsim.scenario.lookup import Lookup
from cilsim.scenario.nodes import Node
from cilsim.scenario.schema import NamedChoice, StrategyChoice, folder_name

STRATEGY_KEYS = ("name", "as", "calibrators")


def check_strategies(
    root: Node, stream: Entry | None, registries: Registries, lookup: Lookup
) -> tuple[StrategyChoice, ...]:
    """Return the strategies that are right, after complaining about the others.

    Args:
        root: the scenario.
        stream: the stream kind that they have to serve, None if unknown.
        registries: all that can be named.
        lookup: receives the complaints.
    """
    shared = _calibrators(root, registries, lookup)
    listed = root.child("strategies")
    if listed is None or listed.value is None:
        known = did_you_mean("", registries.strategies.names())
        lookup.at_section(root, f"'strategy' is missing: the strategy to run{known}")
        return ()
    right = []
    for node in listed.items:
        choice = _strategy(node, shared, registries, lookup)
        if choice is not None:
            right.append((node, choice))
        _refuse_unserved(node, stream, registries, lookup)
    _refuse_equal_labels(right, lookup)
    return tuple(choice for _, choice in right)


def _strategy(
    node: Node, shared: tuple[NamedChoice, ...], registries: Registries, lookup: Lookup
) -> StrategyChoice | None:
    entry = lookup.entry(registries.strategies, node)
    options = None if entry is None else lookup.options(entry, node, STRATEGY_KEYS)
    has_own = "calibrators" in node.fields
    calibrators = _calibrators(node, registries, lookup) if has_own else shared
    label = _label(node, lookup)
    if entry is None or options is None:
        return None
    return StrategyChoice(entry.name, label or entry.name, options, calibrators)


def _calibrators(parent: Node, registries: Registries, lookup: Lookup) -> tuple[NamedChoice, ...]:
    """Return the calibrators that are right in the list of `parent`."""
    listed = parent.child("calibrators")
    if listed is None:
        return ()
    if not listed.is_list:
        lookup.at_value(listed, f"expected a list, found {listed.found()}")
        return ()
    choices = [lookup.choice(registries.calibrators, node) for node in listed.items]
    return tuple(choice for choice in choices if choice is not None)


def _label(node: Node, lookup: Lookup) -> str | None:
    """Return the label given by `as`, or None if there is none or it cannot name a folder."""
    given = node.child("as")
    if given is None:
        return None
    if not isinstance(given.value, str):
        lookup.at_value(given, f"expected text, found {given.found()}")
        return None
    try:
        return folder_name(given.value)
    except ValueError as error:
        lookup.at_value(given, str(error))
        return None


def _refuse_equal_labels(choices: Sequence[tuple[Node, StrategyChoice]], lookup: Lookup) -> None:
    """Complain about labels that would share a folder, on some systems if not on all."""
    taken: set[str] = set()
    for node, choice in choices:
        given = node.child("as")
        if given is not None and given.value != choice.label:  # refused already
            continue
        folded = choice.label.casefold()
        if folded in taken:
            message = f"another strategy is labelled '{choice.label}'; add a label of its own"
            at = node.child("as") or node.child("name") or node
            lookup.at_value(at, f"{message}, such as 'as: {choice.label}-2'")
        taken.add(folded)


def _refuse_unserved(
    node: Node, stream: Entry | None, registries: Registries, lookup: Lookup
) -> None:
    """Complain if the strategy that a section names does not serve the kind of the stream."""
    name = node.child("name")
    if stream is None or name is None or not isinstance(name.value, str):
        return
    if name.value not in registries.strategies:
        return
    entry = registries.strategies[name.value]
    if serves(entry, stream):
        return
    fitting = [one.name for one in registries.strategies if serves(one, stream)]
    served = ", ".join(entry.serves) or _labelled(stream)
    others = f"strategies that fit: {', '.join(fitting)}" if fitting else "no strategy fits"
    message = f"strategy '{entry.name}' serves {served}, not {stream.name}; {others}"
    lookup.at_value(name, message)


def serves(strategy: Entry, stream: Entry) -> bool:
    """Return whether a strategy serves a stream kind; without a list it serves labelled ones.

    A labelled kind whose later experiences bring no new classes asks for `repeated_classes` too.
    """
    if strategy.serves:
        return bool({stream.name, *stream.aliases} & set(strategy.serves))
    learns = stream.facts.get("new_classes", True) or strategy.facts.get("repeated_classes", False)
    return bool(stream.facts.get("labelled", True) and learns)


def _labelled(stream: Entry) -> str:
    """Return which streams a strategy without a list serves, said beside one that it does not."""
    if stream.facts.get("new_classes", True):
        return "labelled streams"
    return "labelled streams whose experiences bring new classes"
