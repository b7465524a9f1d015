"""Puts the syntax errors of PyYAML into words, with their position."""

from __future__ import annotations

import yaml
from yaml.reader import ReaderError

from cilsim.scenario.origin import LINE_BREAK, Mark, Origin

FRIENDLY = {
    "mapping values are not allowed here": "a second ': ' on this line, or a key that is indented "
    "too far; put text that holds ': ' in quotes",
    "could not find expected ':'": "expected ': ' after the key before this place",
    "expected the node content, but found '<stream end>'": "the text ends within an open bracket",
    "found character '\\t' that cannot start any token": "a tab cannot indent; use spaces",
}
UNCLOSED = {
    "while scanning a quoted scalar": "this quote is not closed",
    "while parsing a flow sequence": "this bracket is not closed",
    "while parsing a flow mapping": "this bracket is not closed",
}


def explain_syntax(error: Exception, origin: Origin, position: Mark) -> tuple[Mark, str]:
    """Return where a text stops being YAML, and why.

    Args:
        error: whatever PyYAML raised.
        origin: the text.
        position: how far it had read, for errors that do not tell.
    """
    if isinstance(error, ReaderError):
        mark = mark_at(origin, int(error.position))
        return mark, f"the character U+{_code(error):04X} is not allowed in YAML"
    if isinstance(error, yaml.MarkedYAMLError):
        return _marked(error, origin)
    if isinstance(error, ValueError | OverflowError):  # of an escape or of the %YAML directive
        return position, "not valid YAML: a number here is too large"
    return position, f"not valid YAML: {type(error).__name__}: {error}"


def mark_at(origin: Origin, position: int) -> Mark:
    """Return the mark of a position in the text."""
    line, start = 1, 0
    for found in LINE_BREAK.finditer(origin.text, 0, position):
        line, start = line + 1, found.end()
    return Mark(origin, line, position - start + 1)


def _code(error: ReaderError) -> int:
    character = error.character
    return character if isinstance(character, int) else ord(character)


def _at_the_end(error: yaml.MarkedYAMLError) -> bool:
    problem = error.problem or ""
    return problem == "found unexpected end of stream" or problem.endswith("'<stream end>'")


def _marked(error: yaml.MarkedYAMLError, origin: Origin) -> tuple[Mark, str]:
    unclosed = UNCLOSED.get(error.context or "") if _at_the_end(error) else None
    if unclosed and error.context_mark:
        begin = error.context_mark
        return Mark(origin, begin.line + 1, begin.column + 1), f"not valid YAML: {unclosed}"
    place = error.problem_mark or error.context_mark
    mark = Mark(origin, place.line + 1, place.column + 1) if place else Mark(origin)
    problem = error.problem or "it cannot be read"
    if problem in FRIENDLY:
        return mark, f"not valid YAML: {FRIENDLY[problem]}"
    context = f" {error.context}" if error.context else ""
    if context and error.context_mark and place and error.context_mark.line != place.line:
        context += f" that begins on line {error.context_mark.line + 1}"
    return mark, f"not valid YAML: {problem}{context}"
