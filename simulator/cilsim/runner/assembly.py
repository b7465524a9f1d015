"""Putting the parts of one run together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pluggy
import torch

from cilsim.data.dataset import DataSet
from cilsim.distributed.processes import ALONE, Processes
from cilsim.features.cache import FeatureCache
from cilsim.plugins import Plugins
from cilsim.records import RunInfo
from cilsim.results.checkpoint import Checkpoints
from cilsim.results.seed_folder import SeedFolder
from cilsim.runner.calibrated_prototypes import CalibratedPrototypes
from cilsim.runner.calibration import CalibratorChain
from cilsim.runner.defaults import Defaults
from cilsim.runner.epoch_selection import base_accuracy, selects_on_test
from cilsim.runner.evaluation import Evaluator
from cilsim.runner.expectations import Expectations
from cilsim.runner.factories import build_backbone
from cilsim.runner.guard import Guard
from cilsim.runner.guarded_hooks import guarded_hooks
from cilsim.runner.history import History
from cilsim.runner.interruption import StopRequest
from cilsim.runner.materials import Materials
from cilsim.runner.participants import make_calibrators, make_strategy, run_manager
from cilsim.runner.pretrained import network_shape
from cilsim.runner.redaction import without_number_of_classes
from cilsim.runner.representation import RepresentationSimilarity
from cilsim.runner.run import Run
from cilsim.scenario.checkpoint_interval import parse_interval
from cilsim.scenario.class_count import estimation
from cilsim.scenario.schema import Scenario, StrategyChoice
from cilsim.seeding import derive_seed
from cilsim.strategy import Context
from cilsim.strategy.base_training import BaseTraining, Store
from cilsim.strategy.class_counting import ClassCounter
from cilsim.strategy.context_parts import ContextParts
from cilsim.strategy.model import Model
from cilsim.strategy.trainer import Trainer
from cilsim.streams.plan import StreamPlan
from cilsim.training.head import Head


@dataclass(frozen=True)
class Shared:
    """What all runs of a scenario have in common.

    Attributes:
        scenario: the checked scenario.
        plugins: what is installed.
        dataset: the data.
        device: where tensors live.
        features: cache of features.
        store: where base trainings are kept.
        stop: whether somebody asked to stop.
        weights: what identifies the weights that the backbone starts from; None for random ones.
        resident: whether samples lie on the device, or are read batch by batch.
        processes: those that do the runs together.
    """

    scenario: Scenario
    plugins: Plugins
    dataset: DataSet
    device: torch.device
    features: FeatureCache
    store: Store
    stop: StopRequest
    weights: Mapping[str, str] | None = None
    resident: bool = True
    processes: Processes = ALONE


def assemble(
    shared: Shared,
    plan: StreamPlan,
    info: RunInfo,
    choice: StrategyChoice,
    folder: SeedFolder,
    guard: Guard | None = None,
) -> tuple[Run, pluggy.PluginManager]:
    """Return a run, restored to where it was interrupted, and its plugin manager.

    Every plugin's code, that of the strategy too, is called through `guard`.
    """
    scenario, guard = shared.scenario, guard or Guard()
    expectations = Expectations(shared.device)
    entry = shared.plugins.registries.strategies[choice.name]
    manager = run_manager(shared.plugins, guard, expectations)
    manager.register(Defaults(entry, guard, expectations), "cilsim defaults")
    checkpoints = Checkpoints(folder.path / "checkpoints", keep=scenario.checkpoints.keep)
    model = _model(shared, plan, info, guard)
    interval = parse_interval(scenario.checkpoints.every)
    trainer = Trainer(
        info, manager.hook, model, shared.stop, checkpoints, interval, shared.processes
    )
    materials = Materials(shared.dataset, plan, shared.device, resident=shared.resident)
    parts = _context_parts(shared, plan, info, model, trainer, materials)
    context = Context(parts)
    strategy = make_strategy(entry, choice, context, guard)
    hooks = guarded_hooks(
        strategy, entry.owner, guard, expectations.of_hooks(), f" of strategy '{choice.name}'"
    )
    manager.register(hooks, f"strategy {choice.label}")
    if choice.calibrators:
        chain = CalibratorChain(make_calibrators(shared.plugins, choice, guard, expectations))
        manager.register(chain, "calibrators")
    evaluator = Evaluator(
        info, manager.hook, strategy, materials, context.features, scenario.evaluate.batch_size,
        expectations,
    )  # fmt: skip
    prototypes = CalibratedPrototypes(info, manager.hook, strategy, entry, guard)
    similarity = RepresentationSimilarity(
        info, strategy, model, materials, context.features, scenario.evaluate.representation
    )
    metrics = shared.plugins.registries.metrics
    history = History(info, folder, materials, metrics, guard)
    run = Run(
        info, manager.hook, strategy, context, model, trainer, materials, evaluator,
        checkpoints, prototypes, parts.counter, entry, guard, similarity, history,
    )  # fmt: skip
    run.restore()
    return run, manager


def _context_parts(
    shared: Shared,
    plan: StreamPlan,
    info: RunInfo,
    model: Model,
    trainer: Trainer,
    materials: Materials,
) -> ContextParts:
    """Return what the strategy's context is made of."""
    scenario = shared.scenario
    accuracy = None
    if selects_on_test(scenario):
        accuracy = base_accuracy(model, materials, shared.features)
    base = BaseTraining(_base_facts(shared, plan, info), shared.store, model, trainer, accuracy)
    counter = ClassCounter(plan.told, estimation(plan.class_count))
    told_info = info if plan.class_count == "given" else without_number_of_classes(info)
    return ContextParts(
        told_info, model, trainer, base, shared.features, materials.recall,
        scenario.base_training, scenario.training, counter, shared.device,
    )  # fmt: skip


def _base_facts(shared: Shared, plan: StreamPlan, info: RunInfo) -> dict[str, Any]:
    """Return what the weights of a trained base depend on, besides samples and recipe."""
    scenario, processes = shared.scenario, shared.processes.count
    return {
        **({"processes": processes} if processes > 1 else {}),
        "backbone": [scenario.backbone.name, _plain(scenario.backbone.options)],
        "weights": None if shared.weights is None else dict(shared.weights),
        "normalisation": [shared.dataset.mean, shared.dataset.std],
        "head": scenario.head.model_dump(mode="json"),
        "classes": plan.most_outputs,
        "base_classes": len(info.stream.base_labels),
        "seed": info.seed,
        "device": shared.device.type,
        "threads": torch.get_num_threads(),
        "deterministic": scenario.deterministic,
        "torch": torch.__version__,
        "selection": [info.stream.digest] if selects_on_test(scenario) else None,
        "loss_plugins": _loss_plugins(shared.plugins),
    }


def _plain(options: Any) -> Any:
    return options.model_dump(mode="json")


def _loss_plugins(plugins: Plugins) -> list[str]:
    """Return the plugins that take part in every training step."""
    hooks = {"cilsim_training_loss", "cilsim_train_experience"}
    return [
        f"{plugin.name} {plugin.owner}" for plugin in plugins.loaded if hooks & set(plugin.hooks)
    ]


def _model(shared: Shared, plan: StreamPlan, info: RunInfo, guard: Guard) -> Model:
    scenario = shared.scenario
    entry = shared.plugins.registries.backbones[scenario.backbone.name]
    shape = network_shape(shared.dataset)

    head, classes = scenario.head, plan.most_outputs

    def make_head(feature_size: int) -> Head:
        return Head(feature_size, classes, head.kind, head.temperature)

    model = Model(
        lambda generator: build_backbone(entry, scenario.backbone.options, shape, generator, guard),
        make_head,
        shared.device,
    )
    model.reset(torch.Generator().manual_seed(derive_seed(info.seed, "model")))
    return model
