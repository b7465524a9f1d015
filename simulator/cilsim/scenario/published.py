"""Numbers that a scenario is compared with: what a paper, or an earlier run, gives for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field, model_validator

from cilsim.options import Options

Percent = Annotated[float, Field(ge=0.0, le=100.0)]
Setting = bool | int | float | str | None

TOLERANCE = 1.0
"""Points that a mean over seeds may differ from a published one unless the entry says otherwise."""

_NOWHERE = object()


class Published(Options):
    """One published number, or one per experience, in percent."""

    strategy: str
    """Label of the strategy that it is about."""
    metric: Annotated[str, Field(min_length=1)]
    """Name of the metric, such as A_avg_inc, or of a value of a metric set, as pycil/forgetting."""
    value: Percent | None = None
    """What is published after the last experience, in percent."""
    values: Annotated[tuple[Percent | None, ...], Field(min_length=1)] | None = None
    """What is published after each experience, in percent; null where nothing is."""
    source: Annotated[str, Field(min_length=1)]
    """Where it is published: paper with table, log file, or the command that measured it."""
    tolerance: Percent = TOLERANCE
    """Points by which a mean may differ and still pass."""
    when: dict[str, Setting] = Field(default={})
    """Settings that it holds for, by dotted key, such as {stream.increment: 5}; without it, all."""
    note: str = ""
    """What else a reader has to know."""

    @model_validator(mode="after")
    def _value_or_values(self) -> Published:
        if (self.value is None) == (self.values is None):
            raise ValueError("give 'value', after the last experience, or 'values', one for each")
        if self.values is not None and set(self.values) == {None}:
            raise ValueError("'values' holds nothing but null")
        return self

    def by_experience(self, experiences: int) -> dict[int, float]:
        """Return what is published after each experience, in percent.

        Args:
            experiences: how many the stream has.
        """
        if self.value is not None:
            return {experiences - 1: self.value}
        given = enumerate(self.values or ())
        return {experience: value for experience, value in given if value is not None}

    def holds_for(self, content: Mapping[str, Any]) -> bool:
        """Return whether a resolved scenario, as plain data, has the settings in `when`."""
        return all(setting_at(content, key) == wanted for key, wanted in self.when.items())


def has_setting(content: Any, key: str) -> bool:
    """Return whether plain data have something at a dotted key."""
    return _follow(content, key) is not _NOWHERE


def setting_at(content: Any, key: str) -> Any:
    """Return what plain data have at a dotted key, such as `strategies.0.as`, or None."""
    found = _follow(content, key)
    return None if found is _NOWHERE else found


def _follow(content: Any, key: str) -> Any:
    for part in key.split("."):
        if isinstance(content, list) and part.isascii() and part.isdigit():
            content = dict(enumerate(content)).get(int(part), _NOWHERE)
        elif isinstance(content, Mapping):
            content = content.get(part, _NOWHERE)
        else:
            return _NOWHERE
    return content
