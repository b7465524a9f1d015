"""Nearest class means as Avalanche's stock parts run them (avalanche-lib 0.6).

`Naive` with no epochs, `TrainEvalModel` with an `NCMClassifier`, and the plugin
`CurrentDataNCMUpdate`, evaluated on the test stream of all classes seen.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import numpy as np
from torch import nn

from benchmarks.peers.given import Given, together
from benchmarks.peers.loading import PilImages, plain_transform
from cilsim.bench.rounds import Decisions, Work

BATCH = 128
"""Images per batch, in training and evaluation; Avalanche's own default is 1."""


def pil_benchmark(given: Given) -> Any:
    """Return the stream as a benchmark over PIL images with torchvision's transforms."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # qpsolvers warns at import that it has no solver
        from avalanche.benchmarks import nc_benchmark

    transform, sessions = plain_transform(given), range(len(given.trains))
    return nc_benchmark(
        PilImages(together(given.trains)),
        PilImages(together(given.tests)),
        n_experiences=len(sessions),
        task_labels=False,
        fixed_class_order=list(range(given.seen(sessions[-1]))),
        per_exp_classes={session: len(given.new_labels(session)) for session in sessions},
        train_transform=transform,
        eval_transform=transform,
    )


def tensor_benchmark(given: Given) -> Any:
    """Return the stream as cilsim's bridge makes it: normalised tensors in memory."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from cilsim.avalanche_bridge.benchmark import to_avalanche

        return to_avalanche(given.dataset, given.plan)


def nearest_mean(given: Given, make_benchmark: Callable[[Given], Any]) -> Work:
    """Return increments of a strategy that has met the base.

    In each experience it passes the new training images through the backbone, class by class
    within each batch, and then every test image of every class seen.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Avalanche warns that no logger is set
        benchmark, collector = make_benchmark(given), _collector()
        strategy = _strategy(given, collector)
        strategy.train(benchmark.train_stream[0])

    def increments() -> Decisions:
        decisions = []
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for session in given.sessions():
                strategy.train(benchmark.train_stream[session])
                strategy.eval(benchmark.test_stream[: session + 1])
                decisions.append(_in_stream_order(given, session, *collector.taken()))
        return np.concatenate(decisions)

    return increments


def _in_stream_order(
    given: Given, session: int, predicted: Decisions, labels: Decisions
) -> Decisions:
    """Return predictions in our order: Avalanche takes an experience class by class, as a set."""
    stream_labels = np.concatenate([part.labels for part in given.tests[: session + 1]])
    ordered = np.empty_like(predicted)
    ordered[np.argsort(stream_labels, kind="stable")] = predicted[np.argsort(labels, kind="stable")]
    return ordered


def _strategy(given: Given, collector: Any) -> Any:
    import torch
    from avalanche.evaluation.metrics import accuracy_metrics
    from avalanche.models import NCMClassifier, TrainEvalModel
    from avalanche.training.plugins import EvaluationPlugin
    from avalanche.training.plugins.update_ncm import CurrentDataNCMUpdate
    from avalanche.training.supervised import Naive

    size: int = given.backbone.feature_size  # type: ignore[assignment]
    model = TrainEvalModel(
        deepcopy(given.backbone), nn.Linear(size, 2), NCMClassifier(normalize=False)
    )
    return Naive(
        model=model,
        optimizer=torch.optim.SGD(model.train_classifier.parameters(), lr=0.1),
        train_mb_size=BATCH,
        eval_mb_size=BATCH,
        train_epochs=0,
        device=given.device,
        plugins=[CurrentDataNCMUpdate(), collector],
        evaluator=EvaluationPlugin(accuracy_metrics(experience=True, stream=True), loggers=[]),
    )


def _collector() -> Any:
    """Return a plugin that keeps what was predicted in evaluations."""
    from avalanche.training.plugins import SupervisedPlugin

    class Collector(SupervisedPlugin):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.predicted: list[Any] = []
            self.labels: list[Any] = []

        def after_eval_iteration(self, strategy: Any, **_: Any) -> None:
            self.predicted.append(strategy.mb_output.argmax(1).cpu().numpy())
            self.labels.append(strategy.mb_y.cpu().numpy())

        def taken(self) -> tuple[Any, Any]:
            taken = np.concatenate(self.predicted), np.concatenate(self.labels)
            self.predicted, self.labels = [], []
            return taken

    return Collector()
