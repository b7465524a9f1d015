"""Reads the text of a scenario file, whatever the file turns out to be."""

from __future__ import annotations

from pathlib import Path

from cilsim.errors import Problem, ScenarioError
from cilsim.naming import nearest
from cilsim.scenario.origin import Origin, abbreviate
from cilsim.scenario.syntax import mark_at

MOST_BYTES = 1024 * 1024


def read_text(path: Path) -> str:
    """Return the text of a file of at most 1 MiB.

    Raises:
        ScenarioError: there is no such file, it cannot be read, is too large or not UTF-8.
    """
    content = _content(path)
    if len(content) > MOST_BYTES:
        raise _refusal(path, "larger than 1 MiB; a scenario is a small text file")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _not_utf8(path, content, error) from error


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MOST_BYTES + 1)
    except FileNotFoundError as error:
        raise _refusal(path, f"no such file{_neighbour(path)}") from error
    except IsADirectoryError as error:
        raise _refusal(path, f"is a folder, expected a YAML file{_inside(path)}") from error
    except OSError as error:
        raise _refusal(path, f"cannot be read: {error.strerror or error}") from error
    except ValueError as error:  # a NUL in the name
        raise _refusal(path, f"cannot be a file name: {error}") from error


def _not_utf8(path: Path, content: bytes, error: UnicodeDecodeError) -> ScenarioError:
    text = content.decode("utf-8", errors="replace")
    before = content[: error.start].decode("utf-8", errors="replace")
    mark = mark_at(Origin(str(path), text, path.parent), len(before))
    message = f"not UTF-8 text: byte 0x{content[error.start]:02x}"
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
