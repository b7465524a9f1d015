"""The argument KIND of `list` and `info`."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import click

from cilsim.cli.catalogue import PLURALS
from cilsim.naming import did_you_mean


def kind_among(kinds: Iterable[str]) -> Callable[[str], str]:
    """Return the parser of an argument that names a kind in the singular or the plural."""
    singular = {form: kind for kind in kinds for form in (kind, PLURALS[kind])}
    plurals = sorted({PLURALS[kind] for kind in singular.values()})

    def kind(text: str) -> str:
        if text not in singular:
            raise click.UsageError(f"'{text}' is no kind of thing{did_you_mean(text, plurals)}")
        return singular[text]

    return kind
