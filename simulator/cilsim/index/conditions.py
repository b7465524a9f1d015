"""What `--where` asks: conditions such as `strategy=teen A_all>0.5`, all of which must hold."""

from __future__ import annotations

import re
import shlex
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from cilsim.errors import CilsimError
from cilsim.index.entry import COLUMNS, TEXTS
from cilsim.naming import did_you_mean

_CONDITION = re.compile(r"([^\s=!<>]+)(>=|<=|!=|=|>|<)(.*)", flags=re.DOTALL)
_WILD = re.compile(r"[*?\[]")


@dataclass(frozen=True)
class Condition:
    """One comparison.

    Attributes:
        name: a column or a metric.
        operator: `=`, `!=`, `<`, `<=`, `>` or `>=`; `GLOB` or `NOT GLOB` for a text with wildcards.
        value: what it is compared with.
        metric: whether the name is a metric's.
    """

    name: str
    operator: str
    value: str | float
    metric: bool


def read_conditions(texts: Sequence[str], metrics: Collection[str]) -> list[Condition]:
    """Return the conditions in texts, which separate them by blanks.

    Args:
        texts: such as `strategy=teen A_all>0.5`; quotes keep blanks in a value.
        metrics: names of all metrics that some run has.

    Raises:
        CilsimError: one cannot be read, or names what no run has.
    """
    return [_condition(part, metrics) for text in texts for part in _parts(text)]


def require_known(option: str, name: str, metrics: Collection[str]) -> None:
    """Refuse a name that is neither a column nor a metric.

    Raises:
        CilsimError: it is neither.
    """
    if name not in COLUMNS and name not in metrics:
        known = did_you_mean(name, {*COLUMNS, *metrics})
        raise CilsimError(f"{option}: no run has '{name}'{known}")


def _parts(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError as error:
        raise CilsimError(f"--where '{text}': a quote is not closed") from error


def _condition(part: str, metrics: Collection[str]) -> Condition:
    found = _CONDITION.fullmatch(part)
    if found is None:
        raise CilsimError(
            f"--where: found '{part}', expected conditions such as 'strategy=teen A_all>0.5'"
        )
    name, operator, value = found.groups()
    require_known("--where", name, metrics)
    if name in TEXTS:
        return _about_text(name, operator, value)
    return Condition(name, operator, _number(part, name, value), name not in COLUMNS)


def _about_text(name: str, operator: str, value: str) -> Condition:
    if operator in ("=", "!=") and _WILD.search(value):
        operator = "GLOB" if operator == "=" else "NOT GLOB"
    return Condition(name, operator, value, metric=False)


def _number(part: str, name: str, value: str) -> float:
    try:
        return float(value)
    except ValueError as error:
        raise CilsimError(
            f"--where: '{part}' compares '{name}' with '{value}', expected a number; "
            f"accuracies are fractions"
        ) from error
