"""What the results of a run folder depend on, and refusing to mix two sets of conditions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from cilsim.errors import RunFolderError
from cilsim.hookspecs import API_VERSION
from cilsim.records import StreamInfo
from cilsim.results.manifest import manifest, read_manifest, resume_conflicts, write_manifest
from cilsim.results.run_folder import RunFolder
from cilsim.runner.assembly import Shared
from cilsim.runner.device import torch_facts
from cilsim.scenario.resolved import scenario_hash
from cilsim.scenario.schema import Scenario

OF_THE_DATA = ("data_digest", "stream_digest", "weights")


def note_conditions(shared: Shared, stream: StreamInfo, folder: RunFolder) -> None:
    """Write `manifest.json`, unless what is stored came about under other conditions.

    Other data never mix with what is stored; other threads, device or torch only matter where
    something is left to do.

    Raises:
        RunFolderError: going on would give other results than an uninterrupted run.
    """
    before, now = read_manifest(folder.path), _manifest(shared, stream)
    status = folder.status.read()
    if before is not None and status is not None and status.progress:
        conflicts = resume_conflicts(before, now)
        if not _unfinished(shared.scenario, stream, folder):
            conflicts = [line for line in conflicts if line.startswith(OF_THE_DATA)]
        _refuse(folder, conflicts)
    write_manifest(folder.path, now)


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
    """Return whether something is left to do."""
    return not all(
        folder.seed_folder(choice.label, seed).finished(len(stream.experiences))
        for seed in scenario.seeds
        for choice in scenario.strategies
    )


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
    )
