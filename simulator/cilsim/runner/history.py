"""What is known of a run so far: its evaluations, their costs, and the files that hold them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from cilsim.metrics.evaluate import EvaluatedValues, evaluate_next
from cilsim.metrics.transductive import discovery_values
from cilsim.records import Evaluation, RunInfo
from cilsim.registry import Registry
from cilsim.results.predictions import Predicted
from cilsim.results.seed_folder import EXAMPLES, SeedFolder, clusters_file
from cilsim.results.shelf import Shelf
from cilsim.runner.cluster_picture import cluster_picture
from cilsim.runner.example_picture import example_picture
from cilsim.runner.guard import Guard
from cilsim.runner.materials import Materials
from cilsim.runner.metric_plugins import plugin_metrics

Draw = Callable[[], bytes | None]


class History:
    """The evaluations of one run, made from its predictions and written to its folder.

    Costs are what an experience leaves besides predictions: how many classes are `told_apart` and
    how many of these it `discovered`, the values `logged`, the `seconds` and the bytes `kept`.

    Attributes:
        evaluations: of all experiences so far; the arrays of old ones are read when asked for.
        cost_lines: the costs of each experience, as JSON.

    Args:
        info: facts about the run.
        folder: where results go.
        materials: samples, for pictures.
        metrics: metrics that plugins registered.
        guard: knows whose code is at work.
    """

    def __init__(
        self,
        info: RunInfo,
        folder: SeedFolder,
        materials: Materials,
        metrics: Registry,
        guard: Guard,
    ) -> None:
        self.evaluations: list[Evaluation] = []
        self.cost_lines: list[str] = []  # packed once, not at every save
        self._info = info
        self._folder = folder
        self._materials = materials
        self._metrics = metrics
        self._guard = guard
        self._shelf = Shelf(folder, info.stream)
        self._costs: list[dict[str, Any]] = []
        self._known: EvaluatedValues | None = None

    def stored(self) -> list[Predicted]:
        """Return the predictions after each experience that the folder has undamaged."""
        return self._folder.read_intact_history(self._info.stream)

    def take_up(
        self,
        stored: Sequence[Predicted],
        costs: Sequence[Mapping[str, Any]],
        parameters: Mapping[str, int],
    ) -> None:
        """Go on from what an interrupted command has stored.

        What follows from predictions and checkpoint is written again where it is not as it was.

        Args:
            stored: predictions after each experience; those without costs are left out.
            costs: of the experiences up to the checkpoint.
            parameters: as for `write`.
        """
        for predicted, about in zip(stored, costs, strict=False):
            self.add(predicted, about)
            self.tidy()
        lost: dict[str, bytes | None] = {}
        for evaluation, about in zip(self.evaluations, self._costs, strict=True):
            for name, draw in self._pictures(evaluation, about).items():
                if not self._folder.has_intact_picture(name):
                    lost[name] = draw()
        self._write(parameters, lost)

    def add(self, predicted: Predicted, costs: Mapping[str, Any]) -> Evaluation:
        """Evaluate predictions, and return and keep the evaluation."""
        evaluation = self._evaluated(predicted, costs)
        self.evaluations.append(evaluation)
        self._costs.append(dict(costs))
        self.cost_lines.append(json.dumps(costs))
        return evaluation

    def write(self, parameters: Mapping[str, int]) -> None:
        """Write all that is known after the newest experience.

        Args:
            parameters: numbers of parameters by part of the model.
        """
        pictures = self._pictures(self.evaluations[-1], self._costs[-1])
        self._write(parameters, {name: draw() for name, draw in pictures.items()})

    def tidy(self) -> None:
        """Let go of arrays of old evaluations, which must be stored."""
        self._shelf.tidy(self.evaluations)

    def _write(self, parameters: Mapping[str, int], pictures: Mapping[str, bytes | None]) -> None:
        drawn = {name: png for name, png in pictures.items() if png is not None}
        self._folder.write_evaluation(self.evaluations, self._info.stream, parameters, drawn)

    def _pictures(self, evaluation: Evaluation, costs: Mapping[str, Any]) -> dict[str, Draw]:
        """Return what draws the pictures after an experience, by name of the file."""
        stream, after = self._info.stream, evaluation.experience
        found = range(costs["told_apart"] - costs["discovered"], costs["told_apart"])
        pictures: dict[str, Draw] = {
            clusters_file(after): partial(
                cluster_picture, self._materials, evaluation, stream, found
            )
        }
        if after == len(stream.experiences) - 1:
            pictures[EXAMPLES] = partial(example_picture, self._materials, evaluation, stream)
        return pictures

    def _evaluated(self, last: Predicted, costs: Mapping[str, Any]) -> Evaluation:
        stream = self._info.stream
        known = self._known = evaluate_next(last.test, stream, self._known)
        # only metrics of plugins look at all that went before
        earlier = self.evaluations if any(self._metrics) else ()
        tests = [*(evaluation.predictions for evaluation in earlier), last.test]
        own = {**costs.get("similar", {}), **known.values}
        extra = plugin_metrics(self._metrics, tests, stream, own, self._guard)
        if stream.discovery:
            extra |= discovery_values(
                last.unlabelled, costs["told_apart"], last.test.experience, stream
            )
        return Evaluation(
            experience=last.test.experience,
            values={**costs["logged"], **extra, **own},  # nobody replaces a metric
            accuracy_matrix=known.accuracy_matrix,
            confusion=known.confusion,
            predictions=last.test,
            unlabelled=last.unlabelled,
            seconds=costs["seconds"],
            kept=costs["kept"],
        )
