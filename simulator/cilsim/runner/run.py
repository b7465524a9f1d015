"""One run: one strategy with one seed, experience after experience."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cilsim.errors import Interrupted
from cilsim.metrics.evaluate import EvaluatedValues, evaluate_predictions
from cilsim.metrics.transductive import discovery_values
from cilsim.records import Evaluation, ExperienceInfo, RunInfo, RunResult
from cilsim.registry import Registry
from cilsim.results.checkpoint import Checkpoints
from cilsim.results.predictions import Predicted
from cilsim.results.seed_folder import SeedFolder
from cilsim.runner.calibrated_prototypes import CalibratedPrototypes
from cilsim.runner.cluster_picture import cluster_picture
from cilsim.runner.evaluation import Evaluator
from cilsim.runner.materials import Materials
from cilsim.runner.metric_plugins import plugin_metrics
from cilsim.strategy import Context, Experience, Strategy
from cilsim.strategy.class_counting import ClassCounter
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
        prototypes: lets calibrators change the strategy's prototypes.
        counter: knows or estimates the number of classes to discover.
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
    prototypes: CalibratedPrototypes
    counter: ClassCounter
    metrics: Registry
    evaluations: list[Evaluation] = field(default_factory=list)
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
        history = self.folder.read_history()[: index + 1]
        if len(history) <= index:
            return  # predictions are missing: what they were is computed again
        told_apart = [0, *(costs["told_apart"] for costs in state["costs"])]
        for given in range(index + 1):
            self.materials.give(given, told_apart[given])
        self.context.seen_classes = told_apart[-1]
        self.counter.load_state_dict(on_device(state["counter"], self.context.device))
        self.model.load_state_dict(state["model"])
        self.strategy.load_state_dict(on_device(state["strategy"], self.context.device))
        self.prototypes.restore(on_device(state["raw_prototypes"], self.context.device))
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

    def learn_and_predict(self, info: ExperienceInfo) -> tuple[Predicted, dict[str, float]]:
        """Return the predictions after one experience, and the seconds that it took."""
        experience = self.materials.experience(info.index, self.context.seen_classes)
        self.hook.cilsim_before_experience(run=self.info, experience=info)
        learnt = self._learn(info, experience)
        started = time.perf_counter()
        predicted = Predicted(
            self.evaluator.predict(info.index),
            self.evaluator.predict_unlabelled(info.index, experience.unlabelled),
        )
        return predicted, {"train": learnt, "evaluate": time.perf_counter() - started}

    def _learn(self, info: ExperienceInfo, experience: Experience) -> float:
        started = time.perf_counter()
        self.context.begin_experience(experience)
        self.hook.cilsim_train_experience(
            run=self.info, strategy=self.strategy, experience=experience
        )
        for name, value in self.prototypes.calibrate(info, experience.old_classes).items():
            self.context.log(f"prototypes/{name}", value)
        self.strategy.after_calibration(experience)
        self.counter.note(self.context, experience)
        self.prototypes.settle()
        seconds = time.perf_counter() - started
        self.hook.cilsim_after_training(run=self.info, experience=info, seconds=seconds)
        return seconds

    def _record(
        self, info: ExperienceInfo, predicted: Predicted, seconds: Mapping[str, float]
    ) -> None:
        past = [Predicted(known.predictions, known.unlabelled) for known in self.evaluations]
        history = [*past, predicted]
        costs = {
            "told_apart": self.context.seen_classes,
            "logged": self.context.take_logged(),
            "seconds": dict(seconds),
            "kept": {**self.strategy.kept(), **self.counter.bytes_kept()},
        }
        evaluation = self._evaluation(history, costs)
        self.evaluations.append(evaluation)
        parameters = {"backbone": self.model.parameter_count()}
        self.folder.write_evaluation(self.evaluations, self.info.stream, parameters)
        if self.info.stream.discovery:
            self._picture_clusters(info, evaluation)
        self.hook.cilsim_after_evaluation(run=self.info, evaluation=evaluation)
        self._save(info, costs)
        self.hook.cilsim_on_checkpoint(run=self.info, experience=info)

    def _picture_clusters(self, info: ExperienceInfo, evaluation: Evaluation) -> None:
        found = range(
            self.context.seen_classes - self.context.discovered, self.context.seen_classes
        )
        picture = cluster_picture(self.materials, evaluation, self.info.stream, found)
        if picture is not None:
            self.folder.write_cluster_picture(info.index, picture)

    def _evaluation(self, history: list[Predicted], costs: Mapping[str, Any]) -> Evaluation:
        tests, last = [predicted.test for predicted in history], history[-1]
        known = evaluate_predictions(tests, self.info.stream, previous=self._known)
        self._known = known
        extra = plugin_metrics(self.metrics, tests, self.info.stream)
        if self.info.stream.discovery:
            extra |= discovery_values(
                last.unlabelled, costs["told_apart"], last.test.experience, self.info.stream
            )
        return Evaluation(
            experience=last.test.experience,
            values={**known.values, **extra, **costs["logged"]},
            accuracy_matrix=known.accuracy_matrix,
            confusion=known.confusion,
            predictions=last.test,
            unlabelled=last.unlabelled,
            seconds=costs["seconds"],
            kept=costs["kept"],
        )

    def _save(self, info: ExperienceInfo, costs: Mapping[str, Any]) -> None:
        self._costs.append(dict(costs))
        state = {
            "model": self.model.state_dict(),
            "strategy": self.strategy.state_dict(),
            "raw_prototypes": self.prototypes.raw,
            "step": self.trainer.step,
            "costs": self._costs,
            "counter": self.counter.state_dict(),
        }
        self.checkpoints.save_experience(info.index, state, {"experience": info.index})
