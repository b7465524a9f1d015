"""One run: one strategy with one seed, experience after experience."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch

from cilsim.errors import Interrupted, RunFailed
from cilsim.metrics.evaluate import EvaluatedValues, evaluate_predictions
from cilsim.prototypes.drift import prototype_diagnostics
from cilsim.prototypes.table import PrototypeTable
from cilsim.records import Evaluation, ExperienceInfo, Predictions, RunInfo, RunResult
from cilsim.registry import Registry
from cilsim.results.checkpoint import Checkpoints
from cilsim.results.seed_folder import SeedFolder
from cilsim.runner.evaluation import Evaluator
from cilsim.runner.materials import Materials
from cilsim.runner.metric_plugins import plugin_metrics
from cilsim.strategy import Context, Experience, Strategy
from cilsim.strategy.model import Model
from cilsim.strategy.trainer import Trainer
from cilsim.training.state import on_device


@dataclass
class Run:
    """The parts of one run, and its state between experiences.

    Attributes:
        info: facts about the run.
        hook: hook callers of the run's plugin manager.
        strategy: the strategy object.
        context: its services.
        model: backbone and head.
        trainer: trainings, and the count of optimiser steps.
        materials: samples.
        evaluator: predicts test samples.
        folder: where results go.
        checkpoints: where states go.
        metrics: metrics that plugins registered.
        evaluations: what is known so far.
    """

    info: RunInfo
    hook: Any
    strategy: Strategy
    context: Context
    model: Model
    trainer: Trainer
    materials: Materials
    evaluator: Evaluator
    folder: SeedFolder
    checkpoints: Checkpoints
    metrics: Registry
    evaluations: list[Evaluation] = field(default_factory=list)
    _raw: torch.Tensor | None = None
    _before: torch.Tensor | None = None
    _known: EvaluatedValues | None = None
    _costs: list[dict[str, Any]] = field(default_factory=list)

    def execute(self) -> RunResult:
        """Run what is left of the stream and return everything that is known.

        Raises:
            Interrupted: the user asked to stop; the state is saved.
            RunFailed: the run cannot go on.
        """
        started = time.perf_counter()
        self.hook.cilsim_before_run(run=self.info)
        for experience in self.info.stream.experiences[len(self.evaluations) :]:
            if self.trainer.stop():
                raise Interrupted("stopped between experiences; the state is saved")
            self.live_through(experience)
        result = RunResult(self.info, tuple(self.evaluations), time.perf_counter() - started)
        self.hook.cilsim_after_run(run=self.info, result=result)
        return result

    def restore(self) -> None:
        """Take over the newest stored state, if there is one."""
        stored = self.checkpoints.latest()
        if stored is None:
            return
        index, state, _ = stored
        history = self.folder.read_predictions()[: index + 1]
        if len(history) <= index:
            return  # predictions are missing: what they were is computed again
        for given in range(index + 1):
            self.materials.give(given)
        self.model.load_state_dict(state["model"])
        self.strategy.load_state_dict(on_device(state["strategy"], self.context.device))
        self._raw = on_device(state["raw_prototypes"], self.context.device)
        self._before = self.strategy.prototypes
        self.trainer.step = state["step"]
        self._costs = state["costs"]
        for place, costs in enumerate(self._costs):
            self.evaluations.append(self._evaluation(history[: place + 1], costs))

    def steps_behind(self) -> int:
        """Return the optimiser steps that an interrupted command has already done."""
        stored = self.checkpoints.load_training()
        if stored is None:
            return self.trainer.step
        state, facts = stored
        loop = state["loop"]
        return int(facts["step"] + loop["epoch"] * loop["steps_per_epoch"] + loop["step"])

    def live_through(self, info: ExperienceInfo) -> None:
        """Learn, evaluate, store and report one experience."""
        self._record(info, *self.learn_and_predict(info))

    def learn_and_predict(self, info: ExperienceInfo) -> tuple[Predictions, dict[str, float]]:
        """Return the predictions after one experience, and the seconds that it took."""
        experience = self.materials.experience(info.index)
        self.hook.cilsim_before_experience(run=self.info, experience=info)
        learnt = self._learn(info, experience)
        started = time.perf_counter()
        predictions = self.evaluator.predict(info.index)
        return predictions, {"train": learnt, "evaluate": time.perf_counter() - started}

    def _learn(self, info: ExperienceInfo, experience: Experience) -> float:
        started = time.perf_counter()
        self.context.begin_experience(experience)
        self.hook.cilsim_train_experience(
            run=self.info, strategy=self.strategy, experience=experience
        )
        self._calibrate(info)
        self.strategy.after_calibration(experience)
        self._before = self.strategy.prototypes
        seconds = time.perf_counter() - started
        self.hook.cilsim_after_training(run=self.info, experience=info, seconds=seconds)
        return seconds

    def _calibrate(self, info: ExperienceInfo) -> None:
        rows_KD = self.strategy.prototypes
        if rows_KD is None:
            return
        if rows_KD.ndim != 2 or len(rows_KD) != info.seen:
            raise RunFailed(
                f"strategy '{self.info.strategy}': prototypes have shape {tuple(rows_KD.shape)} "
                f"after experience {info.index}, expected ({info.seen}, D)"
            )
        old = 0 if self._raw is None else len(self._raw)
        raw_KD = rows_KD if self._raw is None else torch.cat([self._raw, rows_KD[old:]])
        table = PrototypeTable(
            rows_KD, raw_KD, base_classes=self.context.base_classes, new=info.new_labels
        )
        self.hook.cilsim_calibrate_prototypes(run=self.info, experience=info, prototypes=table)
        diagnostics = prototype_diagnostics(table, self._before)
        self.strategy.prototypes = table.vectors
        self._raw = table.raw
        for name, value in diagnostics.items():
            self.context.log(f"prototypes/{name}", value)

    def _record(
        self, info: ExperienceInfo, predictions: Predictions, seconds: Mapping[str, float]
    ) -> None:
        history = [*(past.predictions for past in self.evaluations), predictions]
        costs = {
            "logged": self.context.take_logged(),
            "seconds": dict(seconds),
            "kept": dict(self.strategy.kept()),
        }
        evaluation = self._evaluation(history, costs)
        self.evaluations.append(evaluation)
        parameters = {"backbone": self.model.parameter_count()}
        self.folder.write_evaluation(self.evaluations, self.info.stream, parameters)
        self.hook.cilsim_after_evaluation(run=self.info, evaluation=evaluation)
        self._save(info, costs)
        self.hook.cilsim_on_checkpoint(run=self.info, experience=info)

    def _evaluation(self, history: list[Predictions], costs: Mapping[str, Any]) -> Evaluation:
        known = evaluate_predictions(history, self.info.stream, previous=self._known)
        self._known = known
        extra = plugin_metrics(self.metrics, history, self.info.stream)
        return Evaluation(
            experience=history[-1].experience,
            values={**known.values, **extra, **costs["logged"]},
            accuracy_matrix=known.accuracy_matrix,
            confusion=known.confusion,
            predictions=history[-1],
            seconds=costs["seconds"],
            kept=costs["kept"],
        )

    def _save(self, info: ExperienceInfo, costs: Mapping[str, Any]) -> None:
        self._costs.append(dict(costs))
        state = {
            "model": self.model.state_dict(),
            "strategy": self.strategy.state_dict(),
            "raw_prototypes": self._raw,
            "step": self.trainer.step,
            "costs": self._costs,
        }
        self.checkpoints.save_experience(info.index, state, {"experience": info.index})
