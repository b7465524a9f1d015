"""The model of a run folder, out of its newest checkpoint."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from cilsim.data.dataset import DataSet
from cilsim.deploy.stored_model import StoredModel, input_facts
from cilsim.errors import CheckpointError, DataError, RunFolderError
from cilsim.plugins import Plugins
from cilsim.records import StreamInfo
from cilsim.results.checkpoint import Checkpoints
from cilsim.results.manifest import read_manifest
from cilsim.results.run_folder import RunFolder
from cilsim.results.scenario_files import RESOLVED
from cilsim.results.seed_folder import SeedFolder
from cilsim.results.stream_file import read_stream
from cilsim.runner.factories import load_dataset
from cilsim.runner.pretrained import normalised_for_backbone
from cilsim.scenario.load import load_text


def model_of_run(path: Path, plugins: Plugins, after: int | None = None) -> StoredModel:
    """Return the model of one run; nothing in its folder changes.

    The data set is read for the size and normalisation of its images.

    Args:
        path: a run folder with one run, or the folder of one run, such as `runs/a/teen/seed-0`.
        plugins: what is installed.
        after: which experience the model has learnt last; default: the newest stored.

    Raises:
        RunFolderError: there is no run, or more than one.
        CheckpointError: its state is not stored, or damaged.
        DataError: the data set is missing or another one.
    """
    folder = RunFolder.open_existing(path)
    seed_folder = _chosen(folder, path)
    stream = read_stream(seed_folder.path)
    if stream is None:
        raise RunFolderError(
            f"{seed_folder.path}: no experience is finished; go on with: cilsim resume {path}"
        )
    if stream.discovery:
        raise RunFolderError(
            f"{seed_folder.path}: stream '{stream.kind}' gives clusters, which have no names - "
            "expected a stream whose classes all come with labels"
        )
    index, state = _state(seed_folder, after)
    dataset = _dataset(folder, plugins)
    return StoredModel(
        where=str(seed_folder.path),
        scenario=folder.resolved_text,
        strategy=seed_folder.strategy,
        seed=seed_folder.seed,
        stream=learnt(stream, index),
        input=input_facts(dataset),
        state=state,
        own_weights=bool(state["model"]["backbone"]),
    )


def learnt(stream: StreamInfo, index: int) -> StreamInfo:
    """Return the stream up to experience `index`."""
    seen = stream.experiences[index].seen
    return replace(
        stream,
        experiences=stream.experiences[: index + 1],
        class_ids=stream.class_ids[:seen],
        class_names=stream.class_names[:seen],
    )


def _chosen(folder: RunFolder, path: Path) -> SeedFolder:
    runs = folder.list_seed_folders()
    inside = [run for run in runs if _within(run.path, path) or _within(path, run.path)]
    if len(inside) == 1:
        return inside[0]
    named = ", ".join(str(run.path) for run in inside[:4])
    more = f" and {len(inside) - 4} more" if len(inside) > 4 else ""
    if not inside:
        raise RunFolderError(f"{path}: holds no run; go on with: cilsim resume {folder.path}")
    raise RunFolderError(f"{path}: holds {len(inside)} runs - choose one of {named}{more}")


def _within(path: Path, folder: Path) -> bool:
    return path.resolve().is_relative_to(folder.resolve())


def _state(folder: SeedFolder, after: int | None) -> tuple[int, dict[str, Any]]:
    found = Checkpoints(folder.checkpoints).latest(None if after is None else after + 1)
    if found is None or (after is not None and found[0] != after):
        wanted = "state" if after is None else f"state after experience {after}"
        raise CheckpointError(
            f"{folder.path}: no {wanted} is stored - a run keeps as many as "
            "'checkpoints: {keep: N}' in its scenario says, the newest ones"
        )
    return found[0], found[1]


def _dataset(folder: RunFolder, plugins: Plugins) -> DataSet:
    where = str(folder.path / RESOLVED)
    scenario = load_text(folder.resolved_text, where, plugins.registries, with_data=False)
    dataset = load_dataset(scenario.stream.dataset, plugins)
    known = (read_manifest(folder.path) or {}).get("data_digest", dataset.digest)
    if known != dataset.digest:
        raise DataError(
            f"data set '{dataset.name}': has digest {dataset.digest[:12]}, {folder.path} was run "
            f"with {known[:12]} - expected the same data, of which images are read alike"
        )
    return normalised_for_backbone(scenario, plugins, dataset)
