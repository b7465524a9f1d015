"""What a scenario can set: typed, ranged, frozen, and unknown keys are refused."""

from __future__ import annotations

import ast
import inspect
import textwrap

from pydantic import BaseModel, ConfigDict


class Options(BaseModel):
    """Options of a plugin: typed fields, each with a docstring below it.

    The docstrings are what `cilsim info`, the JSON Schema and messages say about an option.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)


def describe_options() -> None:
    """Give every field of every known options model the docstring below it as description.

    Reading sources takes longer than all else that a check does, so it is done only where
    descriptions are shown.
    """
    changed = [model for model in _known(Options) if _describe(model)]
    if changed:
        for model in _known(Options):  # those that nest a changed one, too
            model.model_rebuild(force=True)


def _known(model: type[Options]) -> list[type[Options]]:
    """Return a model and all derived from it, in the order of their definition."""
    found = [model]
    for derived in model.__subclasses__():
        found += _known(derived)
    return found


def _describe(model: type[Options]) -> bool:
    """Set missing descriptions; return whether there were any."""
    fields = {name for name, field in model.model_fields.items() if field.description is None}
    texts = _docstrings(model) if fields else {}
    for name in fields & texts.keys():
        model.model_fields[name].description = texts[name]
    return bool(fields & texts.keys())


def _docstrings(model: type[Options]) -> dict[str, str]:
    """Return the text below each annotated name of a class and of those it derives from."""
    texts: dict[str, str] = {}
    for kind in reversed(model.__mro__):
        if issubclass(kind, Options) and kind is not Options:
            texts |= _docstrings_of(kind)
    return texts


def _docstrings_of(kind: type[Options]) -> dict[str, str]:
    try:
        (definition,) = ast.parse(textwrap.dedent(inspect.getsource(kind))).body
    except (OSError, SyntaxError, ValueError, TypeError):  # no source, as in a console
        return {}
    assert isinstance(definition, ast.ClassDef)
    texts = {}
    for line, below in zip(definition.body, definition.body[1:], strict=False):
        if isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name):
            match below:
                case ast.Expr(value=ast.Constant(value=str(text))):
                    texts[line.target.id] = inspect.cleandoc(text)
    return texts
