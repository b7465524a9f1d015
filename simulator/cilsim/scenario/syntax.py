"""Puts the syntax errors of PyYAML into words, with their position."""

from __future__ import annotations

import yaml
from yaml.reader import ReaderError

from cilsim.scenario.origin import LINE_BREAK, Mark, Origin

FRIENDLY = {
    "mapping values are not allowed here": "a second ': ' on this line, or a key that is indented "
    "too far; put text that holds ': ' in quotes",
    "could not find expected ':'": "expected ': ' after the key before this place",
    "found unexpected end of stream": "the quote is not closed",
    "found character '\\t' that cannot start any token": "a tab cannot indent; use spaces",
}


def explain_syntax(error: Exception, origin: Origin) -> tuple[Mark, str]:
    """Return where a text stops being YAML, and why."""
    if isinstance(error, ReaderError):
        mark = mark_at(origin, int(error.position))
        return mark, f"the character U+{_code(error):04X} is not allowed in YAML"
    if isinstance(error, yaml.MarkedYAMLError):
        return _marked(error, origin)
    return Mark(origin), f"not valid YAML: {error}"


def mark_at(origin: Origin, position: int) -> Mark:
    """Return the mark of a position in the text."""
    line, start = 1, 0
    for found in LINE_BREAK.finditer(origin.text, 0, position):
        line, start = line + 1, found.end()
    return Mark(origin, line, position - start + 1)


def _code(error: ReaderError) -> int:
    character = error.character
    return character if isinstance(character, int) else ord(character)


def _marked(error: yaml.MarkedYAMLError, origin: Origin) -> tuple[Mark, str]:
    place = error.problem_mark or error.context_mark
    mark = Mark(origin, place.line + 1, place.column + 1) if place else Mark(origin)
    problem = error.problem or "it cannot be read"
    if problem in FRIENDLY:
        return mark, f"not valid YAML: {FRIENDLY[problem]}"
    context = f" {error.context}" if error.context else ""
    if context and error.context_mark and place and error.context_mark.line != place.line:
        context += f" that begins on line {error.context_mark.line + 1}"
    return mark, f"not valid YAML: {problem}{context}"
