"""Plain scores are those of the strategy; what cannot be said plainly is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from cilsim import PlainClassifier, Strategy
from cilsim.deploy import load_plain
from cilsim.deploy.exportable import classifier_of
from cilsim.deploy.from_run import model_of_run
from cilsim.deploy.image_files import read_images
from cilsim.deploy.prediction import scores_of
from cilsim.deploy.revival import revived
from cilsim.errors import CilsimError
from cilsim.hookspecs import hookimpl
from cilsim.plugins import discover
from cilsim.strategy.plain_classifier import (
    adds_classes_without_training,
    of_head,
    plain_classifier_of,
)
from cilsim.training.head import Head

PLAIN = (
    *("finetune", "joint", "nmc", "euclidean", "janson", "teen", "slda", "fetril", "ranpac"),
    *("cosine-ranpac", "fecam", "fecam-common", "fecam-diagonal", "fecam-none", "fecam-head"),
    *("icarl", "icarl-head", "pass", "napa_vq", "ssre", "teen-over-nmc"),
)


@pytest.mark.parametrize("strategy", PLAIN)
def test_plain_scores_equal_those_of_the_strategy(strategy: str, digits: Any) -> None:
    plugins = discover()
    model = model_of_run(digits.run_of(strategy), plugins)
    with revived(model, plugins) as back, torch.inference_mode():
        found = read_images(digits.training_images("digit 4"), model.input)
        x = torch.from_numpy(found.x)
        features_ND = back.run.model.backbone.eval()(
            load_plain.normalised(x, model.input.described())
        )
        said = classifier_of(model, back)
        plain_NK = load_plain.scores(
            features_ND, said.kind, dict(said.tensors), dict(said.settings)
        )
        own_NK = back.run.strategy.scores(features_ND)
    scale = float(own_NK.abs().max())
    assert plain_NK.shape == (24, 6)
    assert float((plain_NK - own_NK).abs().max()) <= 1e-6 * max(scale, 1.0)


@pytest.mark.parametrize("kind", ["linear", "cosine"])
def test_a_head_is_said_as_far_as_it_is_open(kind: Any) -> None:
    head = Head(4, 5, kind, temperature=7.0)
    head.open(3, torch.Generator().manual_seed(0))
    x_BD = torch.randn(6, 4, generator=torch.Generator().manual_seed(1))
    said = of_head(head)
    found_BK = load_plain.scores(x_BD, said.kind, dict(said.tensors), dict(said.settings))
    torch.testing.assert_close(found_BK, head(x_BD).detach())


@pytest.mark.parametrize("after", [0, 1])
def test_the_head_that_serves_fecam_for_the_base_is_exported_for_the_base(
    after: int, digits: Any
) -> None:
    plugins = discover()
    model = model_of_run(digits.run_of("fecam-head"), plugins, after)
    with revived(model, plugins) as back:
        assert classifier_of(model, back).kind == ("linear", "distance")[after]


@pytest.mark.parametrize("strategy", ["nmc", "ranpac", "pass", "joint"])
def test_a_revived_model_predicts_what_its_run_predicted(strategy: str, digits: Any) -> None:
    from cilsim.results.seed_folder import SeedFolder
    from cilsim.runner.factories import load_dataset

    plugins = discover()
    run_folder = digits.run_of(strategy)
    model = model_of_run(run_folder, plugins)
    stored = SeedFolder(run_folder, strategy, 0).read_predictions()[-1]
    with revived(model, plugins) as back:
        dataset = load_dataset(back.scenario.stream.dataset, plugins)
        predicted_N = scores_of(back.run, dataset.x_test[stored.index], model.input).argmax(1)
    np.testing.assert_array_equal(predicted_N.numpy(), stored.predicted)


def test_a_run_is_left_as_it_is(digits: Any) -> None:
    def state() -> dict[str, tuple[int, int]]:
        files = digits.runs.rglob("*")
        return {str(f): (f.stat().st_mtime_ns, f.stat().st_size) for f in files if f.is_file()}

    before, plugins = state(), discover()
    model = model_of_run(digits.run_of("fetril"), plugins)
    with revived(model, plugins) as back:
        classifier_of(model, back)
    assert state() == before


class _ScoresAnew(Strategy):
    def scores(self, x: Any) -> Any:
        return -x


class _LearnsAnew(Strategy):
    adds_classes_without_training = True

    def learn(self, experience: Any) -> None:
        """Train nothing."""


class _LearnsOnceMore(_LearnsAnew):
    def learn(self, experience: Any) -> None:
        """Train again."""


def test_scores_of_its_own_need_a_description_of_their_own() -> None:
    assert plain_classifier_of(_ScoresAnew.__new__(_ScoresAnew)) is None


def test_a_promise_of_no_training_is_not_inherited_by_another_learn() -> None:
    kinds = (Strategy, _LearnsAnew, _LearnsOnceMore)
    said = [adds_classes_without_training(kind.__new__(kind)) for kind in kinds]
    assert said == [False, True, False]


class _Louder:
    cilsim_api = 1

    @hookimpl(wrapper=True)
    def cilsim_scores(self) -> Any:
        return 2 * (yield)


def test_scores_changed_by_a_plugin_are_refused(digits: Any) -> None:
    plugins, run = discover([("louder", _Louder())]), digits.run_of("nmc")
    model = model_of_run(run, plugins)
    with revived(model, plugins) as back, pytest.raises(CilsimError) as caught:
        classifier_of(model, back)
    assert str(caught.value) == (
        f"{run}: plugin 'louder' computes scores that no plain file describes - expected a "
        "strategy with plain_classifier(); 'cilsim predict' works on the run itself"
    )


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (PlainClassifier("linear", {"weight": [[1, 0], [0, 2]], "bias": [0, -1]}), [3, 7]),
        (PlainClassifier("cosine", {"prototypes": [[2, 0], [0, 1]]}, {"scale": 10.0}), [6, 8]),
        (PlainClassifier("distance", {"prototypes": [[3, 0], [0, 0]]}), [-16, -25]),
        (
            PlainClassifier(
                "distance", {"prototypes": [[3, 0], [0, 0]], "diagonals": [[1, 2], [1, 0]]}
            ),
            [-32, -9],
        ),
        (
            PlainClassifier(
                "distance", {"prototypes": [[3, 0], [0, 0]], "precisions": [[1, 0], [0, 2]]}
            ),
            [-32, -41],
        ),
        (
            PlainClassifier("linear", {"weight": [[1]], "bias": [1], "projection": [[1], [-1]]}),
            [1],
        ),
        (
            PlainClassifier(
                "linear", {"weight": [[1, 1]], "bias": [0]}, {"power": 2.0, "unit_features": True}
            ),
            [1],
        ),
        (
            PlainClassifier(
                "linear", {"weight": [[1, 0]], "bias": [0]}, {"unit_transformed": True}
            ),
            [0.6],
        ),
    ],
    ids=["linear", "cosine", "euclidean", "diagonal", "matrix", "projection", "power", "unit"],
)
def test_each_kind_computes_what_it_says(said: PlainClassifier, expected: list[float]) -> None:
    x_BD = torch.tensor([[3.0, 4.0]])
    tensors = {name: torch.tensor(rows, dtype=torch.float32) for name, rows in said.tensors.items()}
    scores_BK = load_plain.scores(x_BD, said.kind, tensors, dict(said.settings))
    torch.testing.assert_close(scores_BK, torch.tensor([expected], dtype=torch.float32))
