"""Reads the text of a scenario file, whatever the file turns out to be."""

from __future__ import annotations

from pathlib import Path

from cilsim.errors import Problem, ScenarioError
from cilsim.naming import nearest
from cilsim.scenario.origin import Origin, abbreviate
from cilsim.scenario.syntax import mark_at
from cilsim.scenario.yaml_source import MOST_CHARACTERS, TOO_LARGE


def read_text(path: Path) -> str:
    """Return the text of a file of at most 256 KiB.

    Raises:
        ScenarioError: there is no such file, it cannot be read, is too large or not UTF-8.
    """
    content = _content(path)
    if len(content) > MOST_CHARACTERS:
        raise _at_byte(path, content, MOST_CHARACTERS, TOO_LARGE)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        message = f"not UTF-8 text: byte 0x{content[error.start]:02x}; save it as UTF-8"
        raise _at_byte(path, content, error.start, message) from error


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MOST_CHARACTERS + 1)
    except FileNotFoundError as error:
        raise _refusal(path, f"no such file{_neighbour(path)}") from error
    except IsADirectoryError as error:
        raise _refusal(path, f"is a folder, expected a YAML file{_inside(path)}") from error
    except OSError as error:
        raise _refusal(path, f"cannot be read: {error.strerror or error}") from error
    except ValueError as error:  # a NUL in the name
        raise _refusal(path, f"cannot be a file name: {error}") from error


def _at_byte(path: Path, content: bytes, place: int, message: str) -> ScenarioError:
    """Return a complaint about what stands at a position of a file."""
    text = content.decode("utf-8", errors="replace")
    before = content[:place].decode("utf-8", errors="replace")
    mark = mark_at(Origin(abbreviate(str(path), 1000), text, path.parent), len(before))
    return ScenarioError([Problem(mark.where, "", message, mark.excerpt)])


def _neighbour(path: Path) -> str:
    match = nearest(path.name, (file.name for file in _scenarios(path.parent)))
    return f"; did you mean '{path.with_name(match)}'?" if match else ""


def _inside(path: Path) -> str:
    files = [str(file) for file in _scenarios(path)]
    return f" such as '{files[0]}'" if files else ""


def _scenarios(folder: Path) -> list[Path]:
    try:
        return sorted(file for file in folder.iterdir() if file.suffix in (".yaml", ".yml"))
    except OSError:
        return []


def _refusal(path: Path, message: str) -> ScenarioError:
    return ScenarioError([Problem(abbreviate(str(path), 1000), "", message)])
