"""Plain scalars of YAML 1.2's core schema: `1e-3` is a number, `no` and `1:30` are text."""

from __future__ import annotations

import re

from cilsim.scenario.origin import abbreviate

Scalar = str | int | float | bool | None

WORDS: dict[str, bool | None] = {
    "": None,
    "~": None,
    **dict.fromkeys(("null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
INTEGER = re.compile(r"[-+]?[0-9]+")
OCTAL = re.compile(r"0o[0-7]+")
HEXADECIMAL = re.compile(r"0x[0-9a-fA-F]+")
FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")

MAX_INTEGER = 2**63 - 1
MAX_DIGITS = 25
OLD_BOOLEANS = frozenset({"yes", "no", "on", "off", "y", "n", "true", "false"})
"""Words (in any case) that are or were booleans in some version of YAML."""


class ScalarRefused(ValueError):
    """A scalar is well formed and still not accepted."""


def resolve(text: str) -> Scalar:
    """Return the value of a plain (unquoted) scalar.

    Raises:
        ScalarRefused: a number that is not finite or does not fit into 64 bits.
    """
    if text in WORDS:
        return WORDS[text]
    if INTEGER.fullmatch(text):
        return _integer(text, 10)
    if OCTAL.fullmatch(text):
        return _integer(text[2:], 8)
    if HEXADECIMAL.fullmatch(text):
        return _integer(text[2:], 16)
    if FLOAT.fullmatch(text):
        return _finite(text)
    if NOT_FINITE.fullmatch(text):
        raise ScalarRefused(f"expected a finite number, found {text}")
    return text


def looks_like_other_than_text(text: str) -> bool:
    """Return whether text would be, or might be taken for, a number, a boolean or null."""
    if text.casefold() in OLD_BOOLEANS:
        return True
    try:
        return not isinstance(resolve(text), str)
    except ScalarRefused:
        return True


def _integer(digits: str, base: int) -> int:
    # the length first: Python refuses to convert thousands of digits
    significant = digits.lstrip("+-").lstrip("0") or "0"
    value = int(significant, base) if len(significant) <= MAX_DIGITS else MAX_INTEGER + 1
    if value > MAX_INTEGER:
        raise ScalarRefused(f"expected an integer below 2^63, found {abbreviate(digits)}")
    return -value if digits.startswith("-") else value


def _finite(text: str) -> float:
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise ScalarRefused(f"expected a number below 1e308, found {abbreviate(text)}")
    return value
