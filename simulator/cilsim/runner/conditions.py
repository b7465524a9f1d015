"""What the results of a run folder depend on, and refusing to mix two sets of conditions."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

import torch

from cilsim.errors import CheckpointError, RunFolderError
from cilsim.hookspecs import API_VERSION
from cilsim.records import StreamInfo
from cilsim.results.manifest import (
    agrees_with_manifest,
    manifest,
    read_manifest,
    resume_conflicts,
    write_manifest,
)
from cilsim.results.run_folder import RunFolder
from cilsim.runner.assembly import Shared
from cilsim.runner.device import torch_facts
from cilsim.scenario.resolved import scenario_hash
from cilsim.scenario.schema import Scenario

logger = logging.getLogger(__name__)

OF_THE_DATA = ("data_digest", "stream_digest", "weights")


def note_conditions(shared: Shared, stream: StreamInfo, folder: RunFolder) -> None:
    """Write `manifest.json`, unless what is stored came about under other conditions.

    Other data never mix with what is stored; other threads, device or torch only matter where
    something is left to do.

    Raises:
        RunFolderError: going on would give other results than an uninterrupted run.
    """
    now = _manifest(shared, stream)
    before = _manifest_before(folder, now)
    if before is not None and _has_progress(folder):
        conflicts = resume_conflicts(before, now)
        if not _unfinished(shared.scenario, stream, folder):
            conflicts = [line for line in conflicts if line.startswith(OF_THE_DATA)]
        _refuse(folder, conflicts)
    write_manifest(folder.path, now)


def _manifest_before(folder: RunFolder, now: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return the stored manifest; a damaged one only if it was the same as the one of now."""
    try:
        return read_manifest(folder.path)
    except CheckpointError as error:
        if agrees_with_manifest(folder.path, now):
            logger.warning("%s; it is written again", error)
            return now
        raise RunFolderError(
            f"{error}; what its results depend on is not known, and not what is here now; "
            f"choose another place with --out, or remove {folder.path}"
        ) from error


def _has_progress(folder: RunFolder) -> bool:
    """Return whether some experience is finished; where nobody can tell, that is assumed."""
    try:
        status = folder.status.read()
    except CheckpointError:  # it is written anew, with a warning
        return True
    return status is not None and bool(status.progress)


def protocol_stamps(scenario: Scenario) -> list[str]:
    """Return what a reader of the results must know about how they came about."""
    stamps = [f"interface {API_VERSION}", f"selection: {scenario.evaluate.selection}"]
    if scenario.evaluate.selection == "best_test_epoch":
        stamps.append("SELECTED ON TEST DATA: comparable with papers that did the same only")
    return stamps


def _refuse(folder: RunFolder, conflicts: Sequence[str]) -> None:
    if conflicts:
        raise RunFolderError(
            f"{folder.path}: cannot be resumed under other conditions: {'; '.join(conflicts)}; "
            "restore them, or choose another place with --out"
        )


def _unfinished(scenario: Scenario, stream: StreamInfo, folder: RunFolder) -> bool:
    """Return whether something is left to do, be it that a file is damaged."""
    try:
        return not all(
            folder.seed_folder(choice.label, seed).finished(len(stream.experiences))
            for seed in scenario.seeds
            for choice in scenario.strategies
        )
    except CheckpointError:
        return True


def _manifest(shared: Shared, stream: StreamInfo) -> dict[str, Any]:
    return manifest(
        scenario_hash=scenario_hash(shared.scenario),
        data_digest=shared.dataset.digest,
        stream_digest=stream.digest,
        device=str(shared.device),
        threads=torch.get_num_threads(),
        torch_facts=torch_facts(shared.device),
        plugins=[plugin.owner for plugin in shared.plugins.loaded],
        protocol_stamps=protocol_stamps(shared.scenario),
        weights=shared.weights,
        skipped_files=shared.dataset.skipped,
    )
