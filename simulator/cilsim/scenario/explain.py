"""Validates nodes by an options model and explains every error at the place where it is written."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from cilsim.naming import did_you_mean
from cilsim.options import descriptions
from cilsim.scenario.findings import MOST, Findings
from cilsim.scenario.nodes import Node
from cilsim.scenario.strictness import fill
from cilsim.scenario.wording import alternatives, complaint, wrong_kind

Model = TypeVar("Model", bound=BaseModel)

UNKNOWN_KEY = frozenset({"extra_forbidden", "unexpected_keyword_argument"})
MISSING = frozenset({"missing", "missing_argument", "missing_keyword_only_argument"})


def validate(
    model: type[Model], node: Node, findings: Findings, reserved: Sequence[str] = ()
) -> Model | None:
    """Return the model filled from a mapping, or None after noting every complaint.

    Strict mode on JSON does right where strict mode on Python objects does not: a list for a tuple,
    text for a path or an enum.

    Args:
        model: what the mapping has to fit.
        node: a mapping.
        findings: receives the complaints.
        reserved: keys that were taken from the mapping before, named among the known ones.
    """
    try:
        return fill(model, json.dumps(node.plain()))
    except ValidationError as failure:
        errors = failure.errors(include_url=False, include_input=False)
        _Explanation(model, node, reserved).tell(errors[: 2 * MOST], findings)
    return None


def key_of(name: str, field: FieldInfo) -> str:
    """Return the key that a field has in a file."""
    return field.validation_alias if isinstance(field.validation_alias, str) else name


def fields_by_key(model: type[BaseModel]) -> dict[str, FieldInfo]:
    """Return the fields of a model by their key in a file."""
    return {key_of(name, field): field for name, field in model.model_fields.items()}


def first_sentence(text: str | None) -> str:
    """Return the first sentence of a description on one line, without its full stop."""
    return " ".join((text or "").split()).partition(". ")[0].removesuffix(".")


@dataclass(frozen=True)
class _Located:
    """An error at its node.

    Attributes:
        error: as pydantic tells it.
        node: the deepest value on its path.
        union: where the path left the values to name the branch of a union, if it did.
        branch: the name of that branch.
    """

    error: ErrorDetails
    node: Node
    union: tuple[str, ...] | None
    branch: str

    @property
    def accepted(self) -> list[str]:
        """What another kind of value was expected to be; empty if the kind is right."""
        if self.node.path != (self.union or self.node.path):
            return []
        return alternatives(self.error["type"], self.error.get("ctx", {}))


class _Explanation:
    """Explains the errors of one validation."""

    def __init__(self, model: type[BaseModel], node: Node, reserved: Sequence[str]) -> None:
        self.model = model
        self.node = node
        self.reserved = reserved

    def tell(self, errors: Sequence[ErrorDetails], findings: Findings) -> None:
        """Note every error; those of one union are told as one, or as its best branch's."""
        unions: dict[tuple[str, ...], list[_Located]] = defaultdict(list)
        for error in errors:
            if _follows_from_others(error, errors):
                continue
            located = self.locate(error)
            if located.union is None:
                self.tell_one(located, findings)
            else:
                unions[located.union].append(located)
        for members in unions.values():
            self.tell_union(members, findings)

    def locate(self, error: ErrorDetails) -> _Located:
        """Follow the path of an error through the values as far as they go."""
        parts = list(error["loc"])
        if error["type"] in MISSING:
            parts.pop()
        node, union, branch = self.node, None, ""
        for part in parts:
            child = node.child(part)
            if child is not None:
                node = child
            elif part == "[key]":
                node = replace(node, value=node.path[-1], mark=node.section_mark)
            elif union is None:
                union, branch = node.path, str(part)
        return _Located(error, node, union, branch)

    def tell_union(self, members: list[_Located], findings: Findings) -> None:
        """Tell the errors of the branch that the value was meant for, or what all accept."""
        branches: dict[str, list[_Located]] = defaultdict(list)
        for member in members:
            branches[member.branch].append(member)
        meant = [group for group in branches.values() if not all(one.accepted for one in group)]
        if meant:
            for member in min(meant, key=len):
                self.tell_one(member, findings)
            return
        node = members[0].node
        accepted = [word for member in members for word in member.accepted]
        findings.add(node.mark, node.dotted, wrong_kind(node, accepted))

    def tell_one(self, located: _Located, findings: Findings) -> None:
        """Note one error."""
        error, node = located.error, located.node
        kind, context = error["type"], error.get("ctx", {})
        if kind in UNKNOWN_KEY:
            message = f"unknown key{did_you_mean(str(error['loc'][-1]), self.known(error['loc']))}"
            findings.add(node.section_mark, node.dotted, message)
        elif kind in MISSING:
            findings.add(node.section_mark, node.dotted, self.missing(error["loc"]))
        elif accepted := alternatives(kind, context):
            findings.add(node.mark, node.dotted, wrong_kind(node, accepted))
        else:
            whole = node.is_mapping and kind in ("value_error", "assertion_error")
            mark = node.section_mark if whole else node.mark
            findings.add(mark, node.dotted, complaint(node, kind, context, error["msg"]))

    def known(self, loc: Sequence[str | int]) -> list[str]:
        """Return the keys of the models that the parent of `loc` may be, but for those with it."""
        options = [fields_by_key(model) for model in self.models_at(loc[:-1])]
        keys = [key for fields in options if loc[-1] not in fields for key in fields]
        return keys + (list(self.reserved) if len(loc) == 1 else [])

    def missing(self, loc: Sequence[str | int]) -> str:
        """Return the complaint about a missing key or list entry."""
        last = loc[-1]
        if isinstance(last, int):
            return f"entry {last} is missing"
        described = [
            first_sentence(descriptions(model).get(name))
            for model in self.models_at(loc[:-1])
            for name, field in model.model_fields.items()
            if last == (field.alias or name)
        ]
        return f"'{last}' is missing" + (f": {described[0]}" if described and described[0] else "")

    def models_at(self, loc: Sequence[str | int]) -> list[type[BaseModel]]:
        """Return the models that a value at `loc` may be checked by."""
        models: list[type[BaseModel]] = [self.model]
        for part in loc:
            found = [
                inner
                for model in models
                if isinstance(part, str) and part in fields_by_key(model)
                for inner in models_in(fields_by_key(model)[part].annotation)
            ]
            named = [model for model in models if model.__name__ == part]
            models = found or named or models
        return models


def _follows_from_others(error: ErrorDetails, errors: Sequence[ErrorDetails]) -> bool:
    """Return whether a list is called too short only because entries in it are wrong."""
    loc = error["loc"]
    inside = (other["loc"] for other in errors if len(other["loc"]) > len(loc))
    return error["type"] == "too_short" and any(other[: len(loc)] == loc for other in inside)


def models_in(annotation: Any) -> list[type[BaseModel]]:
    """Return every model that an annotation mentions."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for argument in get_args(annotation) for model in models_in(argument)]
