"""Class orders given by the user: reading them from a file, comparing them with a data set."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from cilsim.errors import DataError
from cilsim.scenario.origin import abbreviate

MOST_CHARACTERS = 1024 * 1024
"""More than 100,000 class ids."""

SHOWN = 5
"""Most class ids that a message lists."""

CLASS_ID = re.compile(r"-?[0-9]{1,18}")


def class_ids_in_file(path: Path) -> tuple[int, ...]:
    """Return the class ids in a text file, in its order.

    Ids are separated by blanks, commas or line breaks; `#` begins a comment.

    Raises:
        DataError: the file cannot be read or holds something else.
    """
    try:
        text = _text(path)
    except FileNotFoundError as error:
        raise DataError(f"no such file: {path}") from error
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not UTF-8 text") from error
    if len(text) > MOST_CHARACTERS:
        raise DataError(f"{path} is larger than 1 MiB; expected class ids")
    ids: list[int] = []
    for number, line in enumerate(text.splitlines(), 1):
        for word in line.partition("#")[0].replace(",", " ").split():
            if CLASS_ID.fullmatch(word) is None:
                found = abbreviate(word)
                raise DataError(f"{path}:{number}: expected class ids, found '{found}'")
            ids.append(int(word))
    return tuple(ids)


def _text(path: Path) -> str:
    """Return the beginning of a file; a pipe or a device is refused, as it might never end."""
    if path.exists() and not (path.is_file() or path.is_dir()):
        raise DataError(f"{path} is no regular file")
    with path.open(encoding="utf-8-sig") as file:
        return file.read(MOST_CHARACTERS + 1)


def class_order_problems(order: Sequence[int], class_ids: Sequence[int]) -> list[str]:
    """Return what is wrong with a class order; `{dataset}` stands for the data set's name."""
    known, given = set(class_ids), Counter(order)
    repeated = [class_id for class_id, count in given.items() if count > 1]
    unknown = [class_id for class_id in given if class_id not in known]
    missing = [class_id for class_id in class_ids if class_id not in given]
    problems = []
    if repeated:
        problems.append(f"given more than once: {_listed(repeated)}")
    if unknown:
        problems.append(f"not among the {len(known)} classes of {{dataset}}: {_listed(unknown)}")
    if missing:
        problems.append(f"missing from the {len(known)} classes of {{dataset}}: {_listed(missing)}")
    return problems


def _listed(class_ids: Sequence[int]) -> str:
    shown = ", ".join(map(str, class_ids[:SHOWN]))
    more = f" and {len(class_ids) - SHOWN} more" if len(class_ids) > SHOWN else ""
    return f"class {'id' if len(class_ids) == 1 else 'ids'} {shown}{more}"
