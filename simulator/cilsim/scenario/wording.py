"""Puts one error of pydantic into a sentence: what was expected, what was found.

Errors that say "this is of another kind altogether" have an expectation, a list of alternatives
that a union's branches can be merged from; all others are a complete sentence.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from cilsim.naming import nearest
from cilsim.scenario.nodes import Node

KINDS: dict[str, str] = {
    **dict.fromkeys(("int_type", "int_parsing", "int_from_float"), "an integer"),
    **dict.fromkeys(("float_type", "float_parsing"), "a number"),
    **dict.fromkeys(("bool_type", "bool_parsing"), "true or false"),
    "string_type": "text",
    "path_type": "a path",
    "none_required": "null",
    **dict.fromkeys(
        ("list_type", "tuple_type", "set_type", "frozen_set_type", "deque_type", "iterable_type"),
        "a list",
    ),
    **dict.fromkeys(
        ("dict_type", "mapping_type", "model_type", "model_attributes_type", "dataclass_type"),
        "a mapping",
    ),
    "decimal_type": "a number",
    "date_type": "a date",
    "datetime_type": "a date and time",
}
CHOICES = frozenset({"literal_error", "enum"})
CHOICE = re.compile(r"'(?:[^'\\]|\\.)*'|[^\s,]+")

Context = Mapping[str, Any]

BOUNDS: dict[str, Callable[[Context], str]] = {
    "greater_than_equal": lambda context: f"must be at least {_number(context['ge'])}",
    "greater_than": lambda context: f"must be greater than {_number(context['gt'])}",
    "less_than_equal": lambda context: f"must be at most {_number(context['le'])}",
    "less_than": lambda context: f"must be smaller than {_number(context['lt'])}",
    "multiple_of": lambda context: f"must be a multiple of {_number(context['multiple_of'])}",
    "finite_number": lambda context: "must be finite",
    "string_pattern_mismatch": lambda context: f"must match the pattern {context['pattern']}",
    "string_too_short": lambda context: f"must be at least {_count(context, 'min', 'character')}",
    "string_too_long": lambda context: f"must be at most {_count(context, 'max', 'character')}",
}
TAGS: dict[str, Callable[[Context], str]] = {
    "union_tag_invalid": lambda context: (
        f"{context['discriminator']} must be one of {context['expected_tags']}, "
        f"found '{context['tag']}'"
    ),
    "union_tag_not_found": lambda context: f"{context['discriminator']} is missing",
}
LENGTHS: dict[str, Callable[[Context], str]] = {
    "too_short": lambda context: f"expected at least {_count(context, 'min', 'entry')}",
    "too_long": lambda context: f"expected at most {_count(context, 'max', 'entry')}",
}


def alternatives(kind: str, context: Context) -> list[str]:
    """Return what would have been accepted in place of a value of the wrong kind.

    Empty if the kind of the value was right and something else is wrong with it.
    """
    if kind in CHOICES:
        return choices(context)
    return [KINDS[kind]] if kind in KINDS else []


def choices(context: Context) -> list[str]:
    """Return the accepted values of a choice, texts in quotes."""
    words = CHOICE.findall(str(context.get("expected", "")))
    return [word for word in words if word != "or"]


def wrong_kind(node: Node, accepted: Sequence[str]) -> str:
    """Return the complaint about a value that is none of what is accepted."""
    unique = list(dict.fromkeys(accepted))
    return f"expected {_joined(unique)}, found {node.found()}{_hint(node, unique)}"


def complaint(node: Node, kind: str, context: Context, message: str) -> str:
    """Return the complaint about a value of the right kind.

    Args:
        node: the value.
        kind: pydantic's error type.
        context: pydantic's context of the error.
        message: pydantic's own words, used for types that have none here.
    """
    if kind in BOUNDS:
        return f"{BOUNDS[kind](context)}, found {node.found()}"
    if kind in LENGTHS:
        found = context.get("actual_length") or len(node.items) or len(node.fields)
        return f"{LENGTHS[kind](context)}, found {found}"
    if kind in TAGS:
        return TAGS[kind](context)
    if kind in ("value_error", "assertion_error"):
        return str(context["error"])
    plain = message[:1].lower() + message[1:]
    return f"{plain}, found {node.found()}"


def _joined(words: Sequence[str]) -> str:
    if len(words) > 1 and all(word.startswith("'") for word in words):
        return f"one of {', '.join(words)}"
    head = ", ".join(words[:-1])
    return f"{head} or {words[-1]}" if head else words[-1]


def _hint(node: Node, accepted: Sequence[str]) -> str:
    if isinstance(node.value, str):
        names = [word.strip("'") for word in accepted if word.startswith("'")]
        match = nearest(node.value, names)
        return f"; did you mean '{match}'?" if match else ""
    scalar = node.value is not None and not node.is_mapping and not node.is_list
    return "; put it in quotes" if scalar and list(accepted) == ["text"] else ""


def _number(bound: Any) -> str:
    return f"{bound:g}" if isinstance(bound, float) else str(bound)


def _count(context: Context, bound: str, noun: str) -> str:
    number = context[f"{bound}_length"]
    plural = "entries" if noun == "entry" else f"{noun}s"
    return f"{number} {noun if number == 1 else plural}"
