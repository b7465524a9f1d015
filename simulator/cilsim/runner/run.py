"""One run: one strategy with one seed, experience after experience."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from cilsim.errors import CheckpointError, Interrupted
from cilsim.metrics.evaluate import EvaluatedValues, evaluate_next
from cilsim.metrics.transductive import discovery_values
from cilsim.records import Evaluation, ExperienceInfo, RunInfo, RunResult
from cilsim.registry import Entry, Registry
from cilsim.results.checkpoint import Checkpoints
from cilsim.results.predictions import Predicted
from cilsim.results.seed_folder import EXAMPLES, SeedFolder, clusters_file
from cilsim.results.shelf import Shelf
from cilsim.runner.calibrated_prototypes import CalibratedPrototypes
from cilsim.runner.cluster_picture import cluster_picture
from cilsim.runner.evaluation import Evaluator
from cilsim.runner.example_picture import example_picture
from cilsim.runner.guard import Guard
from cilsim.runner.guarded_strategy import method_of
from cilsim.runner.materials import Materials
from cilsim.runner.metric_plugins import plugin_metrics
from cilsim.runner.untouched import samples_unchanged
from cilsim.strategy import Context, Experience, Strategy
from cilsim.strategy.class_counting import ClassCounter
from cilsim.strategy.model import Model
from cilsim.strategy.trainer import Trainer
from cilsim.training.state import on_device

Draw = Callable[[], bytes | None]


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
        entry: of the strategy.
        guard: knows whose code is at work.
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
    entry: Entry
    guard: Guard
    evaluations: list[Evaluation] = field(default_factory=list)
    _known: EvaluatedValues | None = None
    _costs: list[dict[str, Any]] = field(default_factory=list)
    _cost_lines: list[str] = field(default_factory=list)  # as JSON: packed once, not at every save

    def __post_init__(self) -> None:
        self._shelf = Shelf(self.folder, self.info.stream)

    def execute(self) -> RunResult:
        """Run what is left of the stream and return everything that is known.

        Raises:
            Interrupted: the user asked to stop; the state is saved.
            RunFailed: the run cannot go on.
        """
        try:
            return self._execute()
        except Interrupted:
            self.checkpoints.wait()
            raise
        except BaseException:
            self.checkpoints.abandon()
            raise

    def _execute(self) -> RunResult:
        started = time.perf_counter()
        self.hook.cilsim_before_run(run=self.info)
        for experience in self.info.stream.experiences[len(self.evaluations) :]:
            if self.trainer.asked_to_stop():
                raise Interrupted("stopped between experiences; the state is saved")
            self.live_through(experience)
        result = RunResult(self.info, tuple(self.evaluations), time.perf_counter() - started)
        self.hook.cilsim_after_run(run=self.info, result=result)
        return result

    def restore(self) -> None:
        """Take over the newest stored state, if there is one."""
        self._restore_experiences()
        self.checkpoints.begin_experience(len(self.evaluations))
        self.trainer.reported_step = self.steps_behind()

    def _restore_experiences(self) -> None:
        history = self.folder.read_intact_history(self.info.stream)
        stored = self.checkpoints.latest(before=len(history))
        self.checkpoints.tidy(None if stored is None else stored[0])
        if stored is None:
            return
        index, state, _ = stored
        self._costs = [json.loads(line) for line in state["costs"]]
        told_apart = [0, *(costs["told_apart"] for costs in self._costs)]
        for given in range(index + 1):
            self.materials.give(given, told_apart[given])
        self.context.seen_classes = told_apart[-1]
        self.counter.load_state_dict(on_device(state["counter"], self.context.device))
        self.model.load_state_dict(state["model"])
        self.strategy.load_state_dict(on_device(state["strategy"], self.context.device))
        self.prototypes.restore(on_device(state["raw_prototypes"], self.context.device))
        self.trainer.step = state["step"]
        self._cost_lines = list(state["costs"])
        for predicted, costs in zip(history, self._costs, strict=False):
            self.evaluations.append(self._evaluation(predicted, costs))
            self._shelf.tidy(self.evaluations)
        self._mend_files()

    def _mend_files(self) -> None:
        """Write what follows from predictions and checkpoint again where it is not as it was."""
        lost = {}
        for evaluation, costs in zip(self.evaluations, self._costs, strict=True):
            for name, draw in self._pictures(evaluation, costs).items():
                if not self.folder.has_intact_picture(name):
                    lost[name] = draw()
        self._write(lost)

    def steps_behind(self) -> int:
        """Return the optimiser steps that an interrupted command has already done."""
        facts = self.checkpoints.training_facts()
        return max([self.trainer.step, *(int(about["behind"]) for about in facts)])

    def live_through(self, info: ExperienceInfo) -> None:
        """Learn, evaluate, store and report one experience."""
        self._record(info, *self.learn_and_predict(info))

    def learn_and_predict(self, info: ExperienceInfo) -> tuple[Predicted, dict[str, float]]:
        """Return the predictions after one experience, and the seconds that it took."""
        self.guard.experience = info.index
        experience = self.materials.experience(info.index, self.context.seen_classes)
        self.hook.cilsim_before_experience(run=self.info, experience=info)
        learnt = self.learn(info, experience)
        started = time.perf_counter()
        predicted = Predicted(
            self.evaluator.predict(info.index),
            self.evaluator.predict_unlabelled(info.index, experience.unlabelled),
        )
        return predicted, {"train": learnt, "evaluate": time.perf_counter() - started}

    def learn(self, info: ExperienceInfo, experience: Experience) -> float:
        """Learn one experience, calibrators included, and return the seconds that it took."""
        started = time.perf_counter()
        self.context.begin_experience(experience)
        with samples_unchanged(experience, self.entry, self.guard):
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
        costs = {
            "told_apart": self.context.seen_classes,
            "discovered": self.context.discovered,
            "logged": self._logged(),
            "seconds": dict(seconds),
            "kept": {**self.strategy.kept(), **self.counter.bytes_kept()},
        }
        evaluation = self._evaluation(predicted, costs)
        self.evaluations.append(evaluation)
        pictures = self._pictures(evaluation, costs)
        self._write({name: draw() for name, draw in pictures.items()})
        self.hook.cilsim_after_evaluation(run=self.info, evaluation=evaluation)
        self._save(info, costs)
        self._shelf.tidy(self.evaluations)
        self.hook.cilsim_on_checkpoint(run=self.info, experience=info)

    def _logged(self) -> dict[str, float]:
        what = f"log() by {self.entry.kind} '{self.entry.name}'"
        with self.guard.calling(self.entry.owner, what):
            logged = self.context.take_logged()
        for name, value in logged.items():
            if not math.isfinite(value):
                complaint = f"'{name}' is {value}, expected a finite number"
                raise self.guard.failure(self.entry.owner, what, complaint)
        return logged

    def _write(self, pictures: Mapping[str, bytes | None]) -> None:
        parameters = {"backbone": self.model.parameter_count()}
        drawn = {name: png for name, png in pictures.items() if png is not None}
        self.folder.write_evaluation(self.evaluations, self.info.stream, parameters, drawn)

    def _pictures(self, evaluation: Evaluation, costs: Mapping[str, Any]) -> dict[str, Draw]:
        """Return what draws the pictures after an experience, by name of the file."""
        stream, after = self.info.stream, evaluation.experience
        found = range(costs["told_apart"] - costs["discovered"], costs["told_apart"])
        pictures: dict[str, Draw] = {
            clusters_file(after): partial(
                cluster_picture, self.materials, evaluation, stream, found
            )
        }
        if after == len(stream.experiences) - 1:
            pictures[EXAMPLES] = partial(example_picture, self.materials, evaluation, stream)
        return pictures

    def _evaluation(self, last: Predicted, costs: Mapping[str, Any]) -> Evaluation:
        known = evaluate_next(last.test, self.info.stream, self._known)
        self._known = known
        # only metrics of plugins look at all that went before
        earlier = self.evaluations if any(self.metrics) else ()
        tests = [*(evaluation.predictions for evaluation in earlier), last.test]
        extra = plugin_metrics(self.metrics, tests, self.info.stream, known.values, self.guard)
        if self.info.stream.discovery:
            extra |= discovery_values(
                last.unlabelled, costs["told_apart"], last.test.experience, self.info.stream
            )
        return Evaluation(
            experience=last.test.experience,
            values={**costs["logged"], **extra, **known.values},  # nobody replaces a metric
            accuracy_matrix=known.accuracy_matrix,
            confusion=known.confusion,
            predictions=last.test,
            unlabelled=last.unlabelled,
            seconds=costs["seconds"],
            kept=costs["kept"],
        )

    def _save(self, info: ExperienceInfo, costs: Mapping[str, Any]) -> None:
        self._costs.append(dict(costs))
        self._cost_lines.append(json.dumps(costs))
        state = {
            "model": self.model.state_dict(),
            "strategy": self.strategy.state_dict(),
            "raw_prototypes": self.prototypes.raw,
            "step": self.trainer.step,
            "costs": self._cost_lines,
            "counter": self.counter.state_dict(),
        }
        try:
            self.checkpoints.save_experience(info.index, state, {"experience": info.index})
        except CheckpointError as error:
            if not str(error).startswith("state['strategy']"):
                raise
            what = method_of("state_dict", self.entry)
            raise self.guard.failure(self.entry.owner, what, str(error)) from error
