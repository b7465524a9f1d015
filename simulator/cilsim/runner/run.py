"""One run: one strategy with one seed, experience after experience."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cilsim.errors import CheckpointError, Interrupted
from cilsim.records import Evaluation, ExperienceInfo, RunInfo, RunResult
from cilsim.registry import Entry
from cilsim.results.checkpoint import Checkpoints
from cilsim.results.predictions import Predicted
from cilsim.runner.calibrated_prototypes import CalibratedPrototypes
from cilsim.runner.evaluation import Evaluator
from cilsim.runner.guard import Guard
from cilsim.runner.guarded_strategy import method_of
from cilsim.runner.history import History
from cilsim.runner.materials import Materials
from cilsim.runner.representation import RepresentationSimilarity
from cilsim.runner.untouched import samples_unchanged
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
        checkpoints: where states go.
        prototypes: lets calibrators change the strategy's prototypes.
        counter: knows or estimates the number of classes to discover.
        entry: of the strategy.
        guard: knows whose code is at work.
        similarity: compares what the backbone makes of old test samples, if the scenario asks.
        history: what is known so far.
    """

    info: RunInfo
    hook: Any
    strategy: Strategy
    context: Context
    model: Model
    trainer: Trainer
    materials: Materials
    evaluator: Evaluator
    checkpoints: Checkpoints
    prototypes: CalibratedPrototypes
    counter: ClassCounter
    entry: Entry
    guard: Guard
    similarity: RepresentationSimilarity
    history: History

    @property
    def evaluations(self) -> list[Evaluation]:
        """The evaluations of all experiences so far."""
        return self.history.evaluations

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
        predicted = self.history.stored()
        stored = self.checkpoints.latest(before=len(predicted))
        self.checkpoints.tidy(None if stored is None else stored[0])
        if stored is None:
            return
        index, state, _ = stored
        costs = [json.loads(line) for line in state["costs"]]
        told_apart = [0, *(one["told_apart"] for one in costs)]
        for given in range(index + 1):
            self.materials.give(given, told_apart[given])
        self.context.seen_classes = told_apart[-1]
        self.counter.load_state_dict(on_device(state["counter"], self.context.device))
        self.model.load_state_dict(state["model"])
        self.strategy.load_state_dict(on_device(state["strategy"], self.context.device))
        self.prototypes.restore(on_device(state["raw_prototypes"], self.context.device))
        self.trainer.step = state["step"]
        self.history.take_up(predicted, costs, self._parameters)

    @property
    def _parameters(self) -> dict[str, int]:
        """Numbers of parameters by part of the model."""
        return {"backbone": self.model.parameter_count()}

    def steps_behind(self) -> int:
        """Return the optimiser steps that an interrupted command has already done."""
        facts = self.checkpoints.training_facts()
        return max([self.trainer.step, *(int(about["behind"]) for about in facts)])

    def live_through(self, info: ExperienceInfo) -> None:
        """Learn, evaluate, store and report one experience."""
        self._record(info, *self.learn_and_predict(info))

    def learn_and_predict(
        self, info: ExperienceInfo
    ) -> tuple[Predicted, dict[str, float], dict[str, float]]:
        """Return the predictions after one experience, representation similarities, seconds."""
        self.guard.experience = info.index
        experience = self.materials.experience(info.index, self.context.seen_classes)
        self.hook.cilsim_before_experience(run=self.info, experience=info)
        started = time.perf_counter()
        before = self.similarity.before(info.index)
        looked_back = time.perf_counter() - started
        learnt = self.learn(info, experience)
        started = time.perf_counter() - looked_back
        predicted = Predicted(
            self.evaluator.predict(info.index),
            self.evaluator.predict_unlabelled(info.index, experience.unlabelled),
        )
        similar = self.similarity.since(before)
        return predicted, similar, {"train": learnt, "evaluate": time.perf_counter() - started}

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
        self,
        info: ExperienceInfo,
        predicted: Predicted,
        similar: Mapping[str, float],
        seconds: Mapping[str, float],
    ) -> None:
        costs: dict[str, Any] = {
            "told_apart": self.context.seen_classes,
            "discovered": self.context.discovered,
            "logged": self._logged(),
            "seconds": dict(seconds),
            "kept": {**self.strategy.kept(), **self.counter.bytes_kept()},
            **({"similar": dict(similar)} if similar else {}),
        }
        evaluation = self.history.add(predicted, costs)
        self.history.write(self._parameters)
        self.hook.cilsim_after_evaluation(run=self.info, evaluation=evaluation)
        self._save(info)
        self.history.tidy()
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

    def _save(self, info: ExperienceInfo) -> None:
        state = {
            "model": self.model.state_dict(),
            "strategy": self.strategy.state_dict(),
            "raw_prototypes": self.prototypes.raw,
            "step": self.trainer.step,
            "costs": self.history.cost_lines,
            "counter": self.counter.state_dict(),
        }
        try:
            self.checkpoints.save_experience(info.index, state, {"experience": info.index})
        except CheckpointError as error:
            if not str(error).startswith("state['strategy']"):
                raise
            what = method_of("state_dict", self.entry)
            raise self.guard.failure(self.entry.owner, what, str(error)) from error
