"""One test per hook: it is called with what it promises, and what it returns takes effect."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from cilsim import Calibrator, Options, Strategy, TrainingLoss, hookimpl, hookspecs
from cilsim.data.arrays import arrays_dataset
from cilsim.data.dataset import DataFacts, DataSet
from cilsim.errors import CilsimError
from cilsim.prototypes.table import PrototypeTable
from cilsim.records import Evaluation, ExperienceInfo, Predictions, RunInfo, RunResult, Scalars
from cilsim.registry import Register
from cilsim.scenario.stream_options import ClassIncrementalOptions
from cilsim.streams.class_incremental import class_incremental
from cilsim.streams.plan import StreamPlan
from cilsim.testing import ring

EVERY_HOOK = [name for name in vars(hookspecs) if name.startswith("cilsim_")]


@pytest.mark.parametrize("name", EVERY_HOOK)
def test_every_hook_has_a_test_of_its_own(name: str) -> None:
    assert f"test_hook_{name.removeprefix('cilsim_')}" in globals()


# ---------------------------------------------------------------- registration


class Constant(Strategy):
    """Predicts one label for everything."""

    def learn(self, experience: Any) -> None:
        """Learn nothing."""

    def scores(self, x: Tensor) -> Tensor:
        scores_BK = x.new_zeros(len(x), self.context.seen_classes)
        scores_BK[:, self.options.label] = 1.0
        return scores_BK


class ConstantOptions(Options):
    label: int = 0
    """The label."""


def test_hook_register_strategies(toy: Any) -> None:
    class Plugin:
        @hookimpl
        def cilsim_register_strategies(self, register: Register) -> None:
            register("constant", Constant, options=ConstantOptions)

    outcome = toy(Plugin(), strategy={"name": "constant", "label": 1})
    predicted = outcome.results[0].evaluations[-1].predictions.predicted
    np.testing.assert_array_equal(predicted, np.ones(120))


class Mirror(Calibrator):
    """Turns new prototypes to the other side of the ring."""

    def calibrate(self, prototypes: PrototypeTable, experience: ExperienceInfo) -> None:
        rows = -prototypes.vectors[list(experience.new_labels)]
        prototypes.update(experience.new_labels, rows, by=self.name)


def test_hook_register_calibrators(toy: Any) -> None:
    class Plugin:
        @hookimpl
        def cilsim_register_calibrators(self, register: Register) -> None:
            register("mirror", Mirror)

    strategy = {"name": "nmc", "calibrators": ["mirror"]}
    mirrored = toy(Plugin(), strategy=strategy, backbone="identity").results[0]
    plain = toy(strategy="nmc", backbone="identity").results[0]
    assert mirrored.run.calibrators == ("mirror",)
    assert plain.final["A_all"] > 0.95
    assert mirrored.final["A_all"] < 0.05


class BackwardsOptions(ClassIncrementalOptions):
    """As class-incremental."""


def backwards(
    options: BackwardsOptions, facts: DataFacts, order: tuple[int, ...], seed: int
) -> StreamPlan:
    return class_incremental(options, facts, order[::-1], seed)


def test_hook_register_streams(toy: Any) -> None:
    class Plugin:
        @hookimpl
        def cilsim_register_streams(self, register: Register) -> None:
            register("backwards", backwards, options=BackwardsOptions)

    data = {"name": "arrays", "path": "ring.npz"}
    stream = {"kind": "backwards", "dataset": data, "sizes": [2, 2]}
    outcome = toy(Plugin(), stream=stream)
    assert outcome.results[0].run.stream.class_ids == (9, 8, 7, 6)


class RingOptions(Options):
    classes: int = 4
    """How many."""


def load_ring(options: RingOptions) -> DataSet:
    arrays = ring(options.classes)
    return arrays_dataset(**arrays, name="made_ring")


def ring_facts(options: RingOptions) -> DataFacts:
    return load_ring(options).facts


def test_hook_register_datasets(toy: Any) -> None:
    class Plugin:
        @hookimpl
        def cilsim_register_datasets(self, register: Register) -> None:
            register("made_ring", load_ring, facts=ring_facts, options=RingOptions)

    stream = {
        "kind": "class_incremental",
        "dataset": {"name": "made_ring", "classes": 6},
        "experiences": 2,
    }
    run = toy(Plugin(), stream=stream).results[0].run
    assert (run.stream.dataset, len(run.stream.class_ids)) == ("made_ring", 6)


class Doubled(nn.Module):
    """Twice the sample."""

    feature_size = 2

    def forward(self, x: Tensor) -> Tensor:
        return 2 * x


def doubled(options: Options, sample_shape: tuple[int, ...], generator: torch.Generator) -> Doubled:
    return Doubled()


def test_hook_register_backbones(toy: Any) -> None:
    class Plugin:
        @hookimpl
        def cilsim_register_backbones(self, register: Register) -> None:
            register("doubled", doubled, accepts="features")

    norms: dict[str, float] = {}
    for backbone in ("identity", "doubled"):
        result = toy(Plugin(), backbone=backbone).results[0]
        norms[backbone] = result.final["prototypes/norm_new"]
    assert norms["doubled"] == pytest.approx(2 * norms["identity"])


def test_hook_register_metrics(toy: Any) -> None:
    def samples(history: list[Predictions], stream: Any) -> float | None:
        return None if len(history) == 1 else float(len(history[-1].label))

    class Plugin:
        @hookimpl
        def cilsim_register_metrics(self, register: Register) -> None:
            register("samples", samples)

    evaluations = toy(Plugin()).results[0].evaluations
    assert "samples" not in evaluations[0].values
    assert evaluations[1].values["samples"] == 120.0


# ----------------------------------------------------------- a run, experiences


class Keeps:
    """Keeps the arguments of the calls of one event hook."""

    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []


def test_hook_before_run(toy: Any) -> None:
    class Plugin(Keeps):
        @hookimpl
        def cilsim_before_run(self, run: RunInfo) -> None:
            self.calls.append((run,))

    plugin = Plugin()
    toy(plugin, strategy={"name": "nmc", "as": "mine", "metric": "euclidean"}, seeds=[3])
    ((run,),) = plugin.calls
    assert (run.scenario, run.strategy, run.seed, run.device) == ("toy", "mine", 3, "cpu")
    assert run.options == {"preset": "simplecil", "metric": "euclidean", "update": "sums"}
    assert run.folder.parts[-3:] == ("toy", "mine", "seed-3")
    assert run.stream.protocol == "B0-Inc2"


def test_hook_before_experience(toy: Any) -> None:
    class Plugin(Keeps):
        @hookimpl
        def cilsim_before_experience(self, run: RunInfo, experience: ExperienceInfo) -> None:
            self.calls.append((run.strategy, experience))

    plugin = Plugin()
    toy(plugin)
    assert plugin.calls == [
        ("nmc", ExperienceInfo(0, "base", (0, 1), seen=2, labelled=120, unlabelled=0, test=60)),
        ("nmc", ExperienceInfo(1, "increment 1", (2, 3), 4, labelled=120, unlabelled=0, test=60)),
    ]


# ------------------------------------------------------------------- training


def test_hook_train_experience(toy: Any) -> None:
    class Replaces:
        @hookimpl
        def cilsim_train_experience(self, strategy: Any, experience: Any) -> str | None:
            if experience.index == 0:
                return None
            strategy.prototypes = torch.cat([strategy.prototypes, strategy.prototypes])
            return "replaced"

    class Wraps(Keeps):
        @hookimpl(wrapper=True)
        def cilsim_train_experience(self, experience: Any) -> Generator[None, Any, Any]:
            result = yield
            self.calls.append((experience.index, len(experience.train), result))
            return result

    wraps = Wraps()
    outcome = toy(Replaces(), wraps)
    assert wraps.calls == [(0, 120, True), (1, 120, "replaced")]
    assert outcome.results[0].final["A_new"] == 0.0  # the first of two equal rows wins


def test_hook_training_loss(toy: Any) -> None:
    class Plugin(Keeps):
        @hookimpl(wrapper=True)
        def cilsim_training_loss(self, batch: Any) -> Generator[None, TrainingLoss, TrainingLoss]:
            loss = yield
            self.calls.append((batch.epoch, batch.step, len(batch)))
            return TrainingLoss(loss.total + 100.0, loss.logits)

    class Losses(Keeps):
        @hookimpl
        def cilsim_on_scalars(self, scalars: Scalars) -> None:
            self.calls.append((scalars.values["train/loss"],))

    plugin, losses = Plugin(), Losses()
    toy(plugin, losses, strategy="nmc")
    assert plugin.calls == [(0, 0, 60), (0, 1, 60)]
    assert 100.0 < losses.calls[0][0] < 102.0


def test_hook_on_scalars(toy: Any) -> None:
    class Plugin(Keeps):
        @hookimpl
        def cilsim_on_scalars(self, scalars: Scalars) -> None:
            self.calls.append((scalars.step, sorted(scalars.values)))

    plugin = Plugin()
    toy(plugin, strategy="finetune")
    parts = ["accuracy", "epoch", "epochs", "images_per_s", "loss", "lr"]
    names = [f"train/{part}" for part in parts]
    assert plugin.calls == [(2, names), (4, names)]


def test_hook_calibrate_prototypes(toy: Any) -> None:
    class Plugin(Keeps):
        @hookimpl
        def cilsim_calibrate_prototypes(
            self, experience: ExperienceInfo, prototypes: PrototypeTable
        ) -> None:
            self.calls.append((experience.index, prototypes.base_classes, prototypes.seen))
            prototypes.update(experience.new_labels, 0 * prototypes.vectors[-2:], by="zero")

    class Final(Keeps):
        @hookimpl
        def cilsim_scores(self, strategy: Any) -> None:
            self.calls.append((strategy.prototypes.abs().sum().item(),))

    plugin, final = Plugin(), Final()
    toy(plugin, final)
    assert plugin.calls == [(0, 2, 2), (1, 2, 4)]
    assert final.calls == [(0.0,), (0.0,)]


def test_hook_calibrate_prototypes_is_not_called_for_strategies_without_prototypes(
    toy: Any,
) -> None:
    class Plugin(Keeps):
        @hookimpl
        def cilsim_calibrate_prototypes(self) -> None:
            self.calls.append(())

    plugin = Plugin()
    toy(plugin, strategy="finetune")
    assert plugin.calls == []


def test_hook_after_training(toy: Any) -> None:
    class Plugin(Keeps):
        @hookimpl
        def cilsim_after_training(self, experience: ExperienceInfo, seconds: float) -> None:
            self.calls.append((experience.index, seconds > 0.0))

    plugin = Plugin()
    toy(plugin)
    assert plugin.calls == [(0, True), (1, True)]


# ----------------------------------------------------------------- evaluation


def test_hook_scores(toy: Any) -> None:
    class Replaces(Keeps):
        @hookimpl
        def cilsim_scores(self, strategy: Any, features: Tensor) -> Tensor:
            self.calls.append(tuple(features.shape))
            return features.new_zeros(len(features), strategy.context.seen_classes)

    class Wraps:
        @hookimpl(wrapper=True)
        def cilsim_scores(self) -> Generator[None, Tensor, Tensor]:
            scores_BK = (yield).clone()
            scores_BK[:, -1] += 1.0
            return scores_BK

    replaces = Replaces()
    outcome = toy(replaces, Wraps())
    assert replaces.calls == [(60, 32), (120, 32)]
    predicted = [e.predictions.predicted for e in outcome.results[0].evaluations]
    assert [set(labels.tolist()) for labels in predicted] == [{1}, {3}]


def test_hook_assign(toy: Any) -> None:
    class Plugin(Keeps):
        @hookimpl
        def cilsim_assign(self, feature_set: Any) -> Tensor:
            self.calls.append((tuple(feature_set.features.shape), feature_set.name))
            return torch.zeros(len(feature_set.features), dtype=torch.int64)

    plugin = Plugin()
    stream = {
        "kind": "novel_class_discovery",
        "dataset": {"name": "arrays", "path": "ring.npz"},
        "labelled_classes": 2,
        "novel_classes": 2,
    }
    outcome = toy(plugin, strategy="kmeans_discovery", stream=stream)
    assert plugin.calls == [((120, 32), "test"), ((120, 32), "unlabelled")]
    assert outcome.results[0].final["clusters"] == 1.0


def test_hook_after_evaluation(toy: Any) -> None:
    class Plugin(Keeps):
        @hookimpl
        def cilsim_after_evaluation(self, run: RunInfo, evaluation: Evaluation) -> None:
            stored = sorted(path.name for path in (run.folder / "predictions").glob("*.npz"))
            self.calls.append((evaluation, stored))

    plugin = Plugin()
    outcome = toy(plugin)
    assert [evaluation.experience for evaluation, _ in plugin.calls] == [0, 1]
    assert [stored for _, stored in plugin.calls] == [
        ["experience-00.npz"],
        ["experience-00.npz", "experience-01.npz"],
    ]
    last = plugin.calls[-1][0]
    assert last is outcome.results[0].evaluations[-1]
    assert last.confusion.sum() == 120
    assert last.accuracy_matrix.shape == (2, 2)
    assert set(last.seconds) == {"train", "evaluate"}
    assert last.kept == {"prototypes": 4 * 32 * 4, "sums": 4 * (32 * 8 + 8)}


def test_hook_on_checkpoint(toy: Any) -> None:
    class Plugin(Keeps):
        @hookimpl
        def cilsim_on_checkpoint(self, run: RunInfo, experience: ExperienceInfo) -> None:
            folder = run.folder / "checkpoints" / f"experience-{experience.index:02d}"
            self.calls.append((experience.index, sorted(path.name for path in folder.iterdir())))

    plugin = Plugin()
    toy(plugin)
    files = ["state.json", "tensors.safetensors"]
    assert plugin.calls == [(0, files), (1, files)]


# ---------------------------------------------------------------------- the end


def test_hook_after_run(toy: Any) -> None:
    class Plugin(Keeps):
        @hookimpl
        def cilsim_after_run(self, result: RunResult) -> None:
            self.calls.append((result,))

    plugin = Plugin()
    outcome = toy(plugin)
    assert [call[0] for call in plugin.calls] == list(outcome.results)
    assert [evaluation.experience for evaluation in outcome.results[0].evaluations] == [0, 1]


def test_hook_on_run_error(toy: Any) -> None:
    class Plugin(Keeps):
        @hookimpl
        def cilsim_on_run_error(self, run: RunInfo, error: CilsimError) -> None:
            self.calls.append((run.strategy, str(error), type(error.__cause__)))

        @hookimpl
        def cilsim_after_training(self) -> None:
            raise ZeroDivisionError("no")

    plugin = Plugin()
    outcome = toy(plugin)
    line = (
        "plugin 'plugin-0' of this process: cilsim_after_training, experience 0: "
        "ZeroDivisionError: no"
    )
    assert plugin.calls == [("nmc", line, ZeroDivisionError)]
    assert [failure.message for failure in outcome.failures] == [line]
