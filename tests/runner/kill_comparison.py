"""What run folders hold, without what tells the time."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

UNTOLD = {".lock", "status.json", "events"}
"""When, how long and by whom; event files are written anew at each resume."""
TIMED = ("ledger.json", "training_scalars.jsonl", "report.md", "report.html", "events.out", "# sum")
DURATION = re.compile(rb"\d+(\.\d+)? (ms|s|min|h)\b")


def files_of(folder: Path) -> dict[str, bytes]:
    """Return the files of a run folder by name, without what tells the time."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not UNTOLD & {path.name, path.name.split(".")[0]}:
            found[path.relative_to(folder).as_posix()] = timeless(path)
    return found


def different(whole: Mapping[str, bytes], left: Mapping[str, bytes]) -> list[str]:
    return sorted(name for name in {*whole, *left} if whole.get(name) != left.get(name))


def timeless(path: Path) -> bytes:
    content = path.read_bytes()
    if path.name in {"ledger.json", "state.json"}:
        return json.dumps(without_seconds(json.loads(content))).encode()
    if path.name == "training_scalars.jsonl":
        return curves(path.parent)
    if path.name in {"report.md", "report.html"}:
        return DURATION.sub(b"some time", content)
    if path.name == "SHA256SUMS":
        lines = content.decode().splitlines()
        return "\n".join(line for line in lines if not any(name in line for name in TIMED)).encode()
    return content


def curves(folder: Path) -> bytes:
    from cilsim.report.scalar_log import read_scalars

    return repr([(one.step, without_speed(one.values)) for one in read_scalars(folder)]).encode()


def without_speed(values: Mapping[str, float]) -> dict[str, float]:
    return {name: value for name, value in values.items() if name != "train/images_per_s"}


def without_seconds(value: Any) -> Any:
    """Return JSON without seconds, and without the checksum of the file that holds them."""
    if isinstance(value, dict):
        kept = {name: one for name, one in value.items() if name != "seconds"}
        if "plain" in kept:
            kept.pop("sha256")
        return {name: without_seconds(one) for name, one in kept.items()}
    if isinstance(value, list):
        return [without_seconds(one) for one in value if not is_seconds(one)]
    if isinstance(value, str) and value.startswith("{"):  # a record that is stored as text
        return without_seconds(json.loads(value))
    return value


def is_seconds(pair: Any) -> bool:
    """Return whether this is the entry `seconds` of a dictionary in a stored state."""
    return isinstance(pair, list) and len(pair) == 2 and pair[0] == "seconds"
