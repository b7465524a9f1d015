"""The argument KIND of `list` and `info`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import click

from cilsim.cli.catalogue import PLURALS
from cilsim.naming import did_you_mean


class Kind(click.ParamType):
    """A kind in the singular or the plural; its value is the singular."""

    name = "kind"

    def __init__(self, known: Iterable[str]) -> None:
        self._singular = {form: kind for kind in known for form in (kind, PLURALS[kind])}

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the singular."""
        if value not in self._singular:
            names = [name for kind, name in PLURALS.items() if kind in self._singular]
            raise click.UsageError(
                f"'{value}' is no kind of thing{did_you_mean(value, names)}", ctx
            )
        return self._singular[value]
