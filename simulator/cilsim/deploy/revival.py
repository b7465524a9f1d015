"""A stored model put back into the engine, so that it predicts and learns as its run did."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from torch import Tensor

from cilsim.data.dataset import DataFacts, DataSet
from cilsim.deploy.stored_model import InputFacts, StoredModel
from cilsim.plugins import Plugins
from cilsim.records import ExperienceInfo, IntArray, RunInfo
from cilsim.results.seed_folder import SeedFolder
from cilsim.runner.assembly import Shared, assemble
from cilsim.runner.blame import plugins_named
from cilsim.runner.device import choose_device, prepare
from cilsim.runner.feature_keeping import feature_cache
from cilsim.runner.interruption import StopRequest
from cilsim.runner.run import Run
from cilsim.scenario.load import load_text
from cilsim.scenario.schema import Scenario, StrategyChoice
from cilsim.strategy.base_training import MemoryStore
from cilsim.streams.plan import NO_SAMPLES, ExperiencePlan, StreamPlan
from cilsim.training.state import on_device


@dataclass(frozen=True)
class Samples:
    """Labelled samples that the model is to learn next.

    Attributes:
        x: (N, C, side, side) uint8 images or (N, D) float32 features, as `InputFacts` wants them.
        digest: identifies them.
    """

    x: Any
    digest: str


@dataclass(frozen=True)
class Revived:
    """A run that stands where a model was stored.

    Attributes:
        run: writes to a temporary folder.
        scenario: what it was made from.
        plugins: what is installed.
    """

    run: Run
    scenario: Scenario
    plugins: Plugins


@contextmanager
def revived(
    model: StoredModel, plugins: Plugins, more: Samples | None = None, device: str = "cpu"
) -> Iterator[Revived]:
    """Yield the model as a run, for as long as the block lasts.

    Args:
        model: with the last experience of its stream still to be learnt if `more` is given.
        plugins: what is installed.
        more: the samples of that experience.
        device: as for `RunRequest`.

    Raises:
        CilsimError: the scenario needs something that is not installed.
    """
    scenario = _scenario(model, plugins)
    choice = next(one for one in scenario.strategies if one.label == model.strategy)
    prepare(scenario.deterministic, scenario.threads)
    with TemporaryDirectory(prefix="cilsim-") as scratch, plugins_named(plugins):
        shared = _shared(scenario, plugins, _dataset(model, more), choose_device(device))
        folder = SeedFolder(Path(scratch) / "run", model.strategy, model.seed)
        info = _info(model, scenario.name, choice, str(shared.device), folder.path)
        run, _ = assemble(shared, _plan(model, more), info, choice, folder)
        _restore(run, model, learnt=len(info.stream.experiences) - (more is not None))
        yield Revived(run, scenario, plugins)


def _scenario(model: StoredModel, plugins: Plugins) -> Scenario:
    scenario = load_text(model.scenario, model.where, plugins.registries, with_data=False)
    options = scenario.backbone.options
    if model.own_weights and "weights" in type(options).model_fields:  # they need not be read
        options = options.model_copy(update={"weights": "none"})
        scenario = replace(scenario, backbone=replace(scenario.backbone, options=options))
    return scenario


def _shared(scenario: Scenario, plugins: Plugins, dataset: DataSet, device: torch.device) -> Shared:
    features = feature_cache(scenario, plugins, device, None)
    return Shared(scenario, plugins, dataset, device, features, MemoryStore(), StopRequest())


def _dataset(model: StoredModel, more: Samples | None) -> DataSet:
    stream, given = model.stream, model.input
    none = _no_samples(given)
    x_train = none if more is None else more.x
    facts = DataFacts(
        class_ids=stream.class_ids,
        class_names=stream.class_names,
        y_train=np.full(len(x_train), stream.class_ids[-1], dtype=np.int64),
        y_test=NO_SAMPLES,
        sample_shape=given.sample_shape,
    )
    digest = stream.digest if more is None else more.digest
    return DataSet(stream.dataset, facts, x_train, none, given.mean, given.std, digest, given.crop)


def _no_samples(given: InputFacts) -> Any:
    return np.empty((0, *given.shape), dtype=np.uint8 if given.images else np.float32)


def _plan(model: StoredModel, more: Samples | None) -> StreamPlan:
    """Return the stream without the samples of what is learnt already."""
    stream = model.stream
    last = NO_SAMPLES if more is None else np.arange(len(more.x), dtype=np.int64)
    final = stream.experiences[-1].index
    return StreamPlan(
        kind=stream.kind,
        protocol=stream.protocol,
        class_order=stream.class_ids,
        experiences=tuple(
            _experience(one, last if one.index == final else NO_SAMPLES)
            for one in stream.experiences
        ),
        groups=stream.groups,
    )


def _experience(info: ExperienceInfo, samples: IntArray) -> ExperiencePlan:
    return ExperiencePlan(info.index, info.name, info.new_labels, samples, NO_SAMPLES, NO_SAMPLES)


def _info(
    model: StoredModel, scenario: str, choice: StrategyChoice, device: str, folder: Path
) -> RunInfo:
    return RunInfo(
        scenario=scenario,
        strategy=model.strategy,
        seed=model.seed,
        stream=model.stream,
        device=device,
        folder=folder,
        options=choice.options.model_dump(mode="json"),
        calibrators=tuple(calibrator.name for calibrator in choice.calibrators),
    )


def _restore(run: Run, model: StoredModel, learnt: int) -> None:
    """Take over what the model had stored after `learnt` experiences."""
    state, device = model.state, run.context.device
    run.context.seen_classes = model.stream.experiences[learnt - 1].seen
    run.context.experience_index = learnt - 1
    head = _of_width(state["model"]["head"], run.model.head.weight.shape[0])
    run.model.load_state_dict({**state["model"], "head": head})
    run.strategy.load_state_dict(on_device(state["strategy"], device))
    run.prototypes.restore(on_device(state["raw_prototypes"], device))
    run.trainer.step = int(state["step"])


def _of_width(head: Mapping[str, Tensor], classes: int) -> dict[str, Tensor]:
    """Return the tensors of a head for another number of classes; closed rows are zeros."""
    opened = int(head["opened"])
    fitted = {}
    for name, tensor in head.items():
        if name != "opened":
            rows = tensor.new_zeros(classes, *tensor.shape[1:])
            rows[:opened] = tensor[:opened]
            tensor = rows
        fitted[name] = tensor
    return fitted


def model_state(run: Run) -> dict[str, Any]:
    """Return what a checkpoint stores of the model."""
    return {
        "model": {"backbone": run.model.backbone.state_dict(), "head": run.model.head.state_dict()},
        "strategy": run.strategy.state_dict(),
        "raw_prototypes": run.prototypes.raw,
        "step": run.trainer.step,
    }
