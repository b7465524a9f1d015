"""Making sure that several processes are about to do the same, and go on from the same files."""

from __future__ import annotations

import json
from typing import Any

import torch

from cilsim.data.dataset import DataSet
from cilsim.distributed.folder_copies import copy_folder
from cilsim.distributed.processes import Processes
from cilsim.errors import OutOfStep
from cilsim.results.atomic import cannot_write
from cilsim.results.manifest import package_versions
from cilsim.results.sealed_folder import EVENT_FILES
from cilsim.results.seed_folder import SeedFolder
from cilsim.runner.device import torch_facts
from cilsim.scenario.resolved import scenario_hash
from cilsim.scenario.schema import Scenario


def require_same_start(
    processes: Processes, scenario: Scenario, dataset: DataSet, device: torch.device
) -> None:
    """Refuse to go on if this process would get other results than the first one.

    Raises:
        OutOfStep: something differs; the message says what.
    """
    if processes.count == 1:
        return
    own = _facts(scenario, dataset, device)
    first = json.loads(processes.of_first(json.dumps(own).encode()))
    lines = [f"{name}: {own[name]} for {first[name]}" for name in own if own[name] != first[name]]
    if lines:
        raise OutOfStep(
            f"process {processes.rank} of {processes.count} differs from the first one: "
            f"{', '.join(lines)}",
            here=True,
        )


def copy_seed_folder(processes: Processes, folder: SeedFolder) -> None:
    """Give every process what the first one has of a run, event files aside.

    Raises:
        RunFolderError: a file cannot be read or written.
    """
    try:
        copy_folder(processes, folder.path, lambda path: not path.match(EVENT_FILES))
    except OSError as error:
        raise cannot_write(folder.path, error) from error


def _facts(scenario: Scenario, dataset: DataSet, device: torch.device) -> dict[str, Any]:
    packages = package_versions()
    return {
        "scenario": scenario_hash(scenario),
        "seeds": list(scenario.seeds),
        "strategies": [choice.label for choice in scenario.strategies],
        "data": dataset.digest,
        "device": device.type,
        "threads": torch.get_num_threads(),
        **{name: packages.get(name) for name in ("cilsim", "torch", "numpy")},
        **torch_facts(device),
    }
