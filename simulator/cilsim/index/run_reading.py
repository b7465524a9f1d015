"""Reads a run folder for the index: what its small files say, nothing computed, no plugin asked."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from cilsim.errors import CheckpointError, RunFolderError
from cilsim.index.entry import IndexedRun
from cilsim.results.reading import as_object
from cilsim.results.run_folder import RunFolder
from cilsim.results.seed_folder import SeedFolder
from cilsim.results.status import Progress, Status
from cilsim.results.stream_file import STREAM
from cilsim.scenario.resolved import hash_in

try:
    from yaml import CSafeLoader as Loader
except ImportError:  # without libyaml: the same result, ten times slower
    from yaml import SafeLoader as Loader  # type: ignore[assignment]

logger = logging.getLogger(__name__)

OF_EXPERIENCES = "_by_experience/"
"""Part of the names of metrics that exist once per experience."""


@dataclass(frozen=True)
class _Resolved:
    """What `resolved.yaml` says that no run's folder repeats."""

    name: str
    hash: str
    stream: str
    dataset: str
    backbone: str
    methods: Mapping[str, str]


def read_runs(folder: Path, root: Path) -> list[IndexedRun]:
    """Return every run in a run folder, in the order of their folders.

    A run folder that cannot be read gives no row, with a warning that names it.

    Args:
        folder: the run folder.
        root: the folder of all runs, which paths are made relative to.
    """
    run_folder = RunFolder(folder)
    try:
        resolved = _resolved(run_folder.resolved_text)
        status = run_folder.status.read()
    except (CheckpointError, RunFolderError) as error:
        logger.warning("%s; its runs are not in the index", error)
        return []
    if status is None:
        return []
    return [_run(stored, root, resolved, status) for stored in run_folder.list_seed_folders()]


def _resolved(text: str) -> _Resolved:
    """Return what the file says; whatever is missing or of another form is empty."""
    content = _mapping(_plain(text))
    stream, strategies = _mapping(content.get("stream")), content.get("strategies")
    listed = [_mapping(one) for one in strategies] if isinstance(strategies, list) else []
    methods = {str(one.get("as", one.get("name", ""))): _name(one) for one in listed}
    return _Resolved(
        name=str(content.get("name", "")),
        hash=hash_in(text) or "",
        stream=str(stream.get("kind", "")),
        dataset=_name(stream.get("dataset")),
        backbone=_name(content.get("backbone")),
        methods=methods,
    )


def _plain(text: str) -> Any:
    loader = Loader(text)
    try:
        return loader.get_single_data()
    except (yaml.YAMLError, ValueError) as error:
        raise CheckpointError(
            f"resolved.yaml is no YAML: {' '.join(str(error).split())}"
        ) from error
    finally:
        loader.dispose()


def _run(stored: SeedFolder, root: Path, resolved: _Resolved, status: Status) -> IndexedRun:
    progress = status.progress.get(f"{stored.strategy}/{stored.path.name}", Progress(0, 0))
    try:
        final, ledger, protocol = _final(stored), stored.read_ledger(), _protocol(stored)
        state = _state(progress, status)
    except CheckpointError as error:
        logger.warning("%s", error)
        final, ledger, protocol, state = {}, {}, "", "damaged"
    return IndexedRun(
        folder=stored.path.relative_to(root).as_posix(),
        scenario=resolved.name,
        strategy=stored.strategy,
        method=resolved.methods.get(stored.strategy, stored.strategy),
        seed=stored.seed,
        state=state,
        experience=progress.experience,
        experiences=progress.of,
        stream=resolved.stream,
        dataset=resolved.dataset,
        protocol=protocol,
        backbone=resolved.backbone,
        hash=resolved.hash,
        started=status.started,
        updated=status.updated,
        seconds=float(sum(_mapping(ledger.get("seconds")).values())),
        bytes_kept=_bytes_kept(ledger),
        metrics=final,
    )


def _state(progress: Progress, status: Status) -> str:
    finished = progress.of > 0 and progress.experience == progress.of
    # a command that ended well has finished all; one run of it that had failed is another one's
    return "finished" if finished else status.state


def _final(stored: SeedFolder) -> dict[str, float]:
    metrics = stored.read_metrics()
    last = metrics[max(metrics)] if metrics else {}
    return {name: value for name, value in last.items() if OF_EXPERIENCES not in name}


def _protocol(stored: SeedFolder) -> str:
    content = stored.files.read(STREAM)
    return "" if content is None else str(as_object(stored.path / STREAM, content).get("protocol"))


def _bytes_kept(ledger: Mapping[str, Any]) -> int:
    experiences = ledger.get("experiences") or [{}]
    return int(sum(_mapping(experiences[-1].get("bytes_kept")).values()))


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _name(choice: Any) -> str:
    return str(choice.get("name", "") if isinstance(choice, dict) else choice or "")
