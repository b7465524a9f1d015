"""Data sets and streams of third parties are checked before anything is learnt from them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from strangers import WHO, Diligent, installed, run_command
from torch import nn

from cilsim import hookimpl
from cilsim.data.dataset import DataFacts, DataSet
from cilsim.data.digest import dataset_digest
from cilsim.data.row_encoder import RowEncoder
from cilsim.errors import CilsimError, DataError, StreamError
from cilsim.registry import Register
from cilsim.streams.plan import NO_SAMPLES, ExperiencePlan, StreamPlan, labels_of, members
from cilsim.testing import Project

CLASSES, TRAIN, TEST = 4, 6, 3
Change = Callable[[Any], Any]


def same(thing: Any) -> Any:
    return thing


def facts() -> DataFacts:
    ids = tuple(range(CLASSES))
    y_train, y_test = np.repeat(ids, TRAIN), np.repeat(ids, TEST)
    return DataFacts(ids, ("a", "b", "c", "d"), y_train, y_test, (3, 8, 8))


def dataset() -> DataSet:
    known = facts()
    x_train, x_test = (np.zeros((len(y), 3, 8, 8), np.uint8) for y in (known.y_train, known.y_test))
    digest = dataset_digest(x_train, known.y_train, x_test, known.y_test)
    return DataSet("toy", known, x_train, x_test, (0.5,) * 3, (0.25,) * 3, digest)


def pairs(known: DataFacts, order: tuple[int, ...]) -> StreamPlan:
    train, test = labels_of(known.y_train, order), labels_of(known.y_test, order)
    experiences = tuple(
        ExperiencePlan(
            i, f"pair {i}", labels, members(train, labels), NO_SAMPLES, members(test, labels)
        )
        for i, labels in enumerate([(0, 1), (2, 3)])
    )
    return StreamPlan("pairs", "2 pairs", order, experiences, ("base", "novel"))


def plugin(
    told: Callable[[], Any] = facts,
    loaded: Callable[[], Any] = dataset,
    planned: Callable[[DataFacts, tuple[int, ...]], Any] = pairs,
) -> Any:
    class Adds:
        @hookimpl
        def cilsim_register_datasets(self, register: Register) -> None:
            register("toy", lambda options: loaded(), facts=lambda options: told())

        @hookimpl
        def cilsim_register_streams(self, register: Register) -> None:
            register("pairs", lambda options, known, order, seed: planned(known, order))

    return Adds()


def complaint(folder: Path, adds: Any) -> str:
    """Return what ends a command that uses the plugin's data set and stream."""
    with installed(adds):
        project = Project.create(folder)
    stream = {"kind": "pairs", "dataset": "toy"}
    with pytest.raises(CilsimError) as error:
        project.run(project.ring_scenario("nmc", stream=stream, backbone="small"))
    return str(error.value).rpartition("stream.dataset: ")[2].partition("\n")[0]


FACTS: dict[str, tuple[Change, str]] = {
    "list": (
        lambda f: replace(f, y_train=f.y_train.tolist()),
        "y_train is a value of type 'list', expected a NumPy array of whole numbers",
    ),
    "float": (
        lambda f: replace(f, y_test=f.y_test.astype(np.float32)),
        "y_test is an array of float32 of shape (12,), expected a NumPy array of whole numbers",
    ),
    "order": (
        lambda f: replace(f, class_ids=(3, 2, 1, 0)),
        "class_ids is (3, 2, 1, 0), expected a tuple of ascending whole numbers",
    ),
    "names": (
        lambda f: replace(f, class_names=("a", "b")),
        "there are 2 class_names, expected 4, one of each class id",
    ),
    "text": (
        lambda f: replace(f, class_names=(1, 2, 3, 4)),
        "class_names is (1, 2, 3, 4), expected a tuple of text",
    ),
    "unknown": (
        lambda f: replace(f, y_test=f.y_test + 1),
        "y_test has the class id 4, expected only those of class_ids",
    ),
    "domains": (
        lambda f: replace(f, domain_train=np.zeros(5, np.int64)),
        "domain_train has 5 numbers, expected 24",
    ),
    "shape": (
        lambda f: replace(f, sample_shape=(8, 8)),
        "sample_shape is (8, 8), expected (C, H, W) for images or (D,) for features",
    ),
}


@pytest.mark.parametrize("name", FACTS)
def test_facts_are_checked_before_a_sample_is_read(tmp_path: Path, name: str) -> None:
    change, line = FACTS[name]
    found = complaint(tmp_path, plugin(told=lambda: change(facts())))
    assert found == f"{WHO}data set 'toy': {line}"


ARRAY = "expected a NumPy array of uint8 of shape (24, 3, 8, 8)"
SETS: dict[str, tuple[Change, str]] = {
    "dtype": (
        lambda d: replace(d, x_train=d.x_train / 255),
        f"x_train is an array of float64 of shape (24, 3, 8, 8), {ARRAY}",
    ),
    "channels last": (
        lambda d: replace(d, x_train=d.x_train.transpose(0, 2, 3, 1)),
        f"x_train is an array of uint8 of shape (24, 8, 8, 3), {ARRAY}",
    ),
    "rows": (
        lambda d: replace(d, x_train=d.x_train[1:]),
        f"x_train is an array of uint8 of shape (23, 3, 8, 8), {ARRAY}",
    ),
    "tensor": (
        lambda d: replace(d, x_train=torch.from_numpy(d.x_train)),
        f"x_train is a value of type 'Tensor', {ARRAY}",
    ),
    "mean": (
        lambda d: replace(d, mean=(0.5,)),
        "mean is (0.5,), expected a tuple with one number per channel (3)",
    ),
    "std": (
        lambda d: replace(d, std=(0.0, 1.0, 1.0)),
        "std is (0.0, 1.0, 1.0), expected numbers above 0",
    ),
    "digest": (
        lambda d: replace(d, digest="v1"),
        "digest is 'v1', expected the 64 digits of "
        "cilsim.data.digest.dataset_digest(x_train, y_train, ...)",
    ),
    "facts": (
        lambda d: replace(d, facts=replace(d.facts, class_ids=(0, 1, 2, 5))),
        "y_train has the class id 3, expected only those of class_ids",
    ),
    "other facts": (
        lambda d: replace(d, facts=replace(d.facts, y_test=d.facts.y_test[::-1])),
        "its facts differ from those of 'facts' in y_test, expected the same",
    ),
    "encoder": (
        lambda d: replace(d, row_encoder="columns"),
        "row_encoder is a value of type 'str', expected RowEncoder",
    ),
    "encoder of other samples": (
        lambda d: replace(d, row_encoder=RowEncoder((), "label", (), ())),
        "row_encoder makes 0 features of a row, expected samples of shape (3, 8, 8)",
    ),
    "no facts": (
        lambda d: replace(d, facts=None),
        "its facts are a value of type 'NoneType', expected DataFacts",
    ),
}


@pytest.mark.parametrize("name", SETS)
def test_a_data_set_is_checked_before_it_is_used(tmp_path: Path, name: str) -> None:
    change, line = SETS[name]
    found = complaint(tmp_path, plugin(loaded=lambda: change(dataset())))
    assert found == f"{WHO}data set 'toy': {line}"


def with_second(**changes: Any) -> Change:
    """Return what changes the second experience of a plan."""

    def change(plan: StreamPlan) -> StreamPlan:
        first, second = plan.experiences
        return replace(plan, experiences=(first, replace(second, **changes)))

    return change


PLANS: dict[str, tuple[Change, str]] = {
    "class order": (
        lambda p: replace(p, class_order=(0, 1, 2, 9)),
        "class_order has a class id twice, or one that the data set does not have",
    ),
    "experience": (
        lambda p: replace(p, experiences=(p.experiences[0], (2, 3))),
        "experience 1 is a value of type 'tuple', expected an ExperiencePlan",
    ),
    "index": (with_second(index=2), "experience 1 has index 2, expected 1"),
    "overlap": (
        with_second(new_labels=(1, 2)),
        "new_labels of all experiences are [0, 1, 1, 2], expected 0 to 3 in this order, once each: "
        "label k is the k-th class of class_order",
    ),
    "mask": (
        with_second(labelled=np.zeros(24, bool)),
        "experience 1: labelled is an array of bool of shape (24,), "
        "expected a NumPy array of whole numbers",
    ),
    "beyond": (
        with_second(labelled=np.arange(20, 30)),
        "experience 1: labelled has positions beyond the 24 samples of its part",
    ),
    "nothing": (
        with_second(labelled=NO_SAMPLES),
        "experience 1: there is no sample to learn from",
    ),
    "twice": (
        with_second(unlabelled=np.arange(12, 14)),
        "experience 1: samples are both labelled and unlabelled",
    ),
    "later class": (
        lambda p: replace(
            p,
            experiences=(replace(p.experiences[0], labelled=np.arange(24)), *p.experiences[1:]),
        ),
        "experience 0: labelled has samples of classes that have not come; 2 have",
    ),
    "no test": (
        lambda p: replace(
            p, experiences=(replace(p.experiences[0], test=NO_SAMPLES), *p.experiences[1:])
        ),
        "experience 0: there is no test sample",
    ),
}


@pytest.mark.parametrize("name", PLANS)
def test_a_plan_is_checked_before_a_sample_is_read(tmp_path: Path, name: str) -> None:
    change, line = PLANS[name]
    adds = plugin(planned=lambda *given: change(pairs(*given)))
    assert complaint(tmp_path, adds) == f"{WHO}stream kind 'pairs': {line}"


def test_sound_ones_run(tmp_path: Path) -> None:
    stream = {"kind": "pairs", "dataset": "toy"}
    backbone = {"name": "small", "widths": [4, 4, 4]}
    command = run_command(tmp_path, plugin(), ["nmc"], stream, backbone)
    assert (command.messages, command.finished) == ({}, {"nmc"})


def refuse(error: CilsimError) -> Callable[..., Any]:
    def refusing(*_: Any) -> Any:
        raise error

    return refusing


def test_what_a_third_party_says_in_words_of_ours_is_named(tmp_path: Path) -> None:
    (tmp_path / "set").mkdir()
    missing = plugin(loaded=refuse(DataError("toy.zip is missing")))
    assert complaint(tmp_path / "set", missing) == f"{WHO}data set 'toy': toy.zip is missing"
    (tmp_path / "plan").mkdir()
    small = plugin(planned=refuse(StreamError("two classes\nare too few")))
    assert complaint(tmp_path / "plan", small) == (
        f"{WHO}stream kind 'pairs': two classes are too few"
    )


class Picky(nn.Module):
    """Works on the two samples that it is tried on."""

    feature_size = 2

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.eye(2))
        self.error = error

    def forward(self, x: torch.Tensor) -> Any:
        if len(x) != 2:
            raise self.error
        return x @ self.weight


@pytest.mark.parametrize(
    ("error", "said"),
    [(ValueError("too many"), "ValueError: too many"), (DataError("too many"), "too many")],
    ids=["its own", "ours"],
)
def test_a_backbone_is_named_though_a_strategy_of_others_called_it(
    tmp_path: Path, error: Exception, said: str
) -> None:
    class Adds:
        @hookimpl
        def cilsim_register_backbones(self, register: Register) -> None:
            register("picky", lambda *_: Picky(error))

    command = run_command(tmp_path, Adds(), ["nmc"], backbone="picky")
    assert command.messages == {
        "nmc": f"{WHO}called in loss() of strategy 'nmc', experience 0: {said}"
    }


def test_what_the_engine_says_of_a_scenario_stays_as_it_is(tmp_path: Path) -> None:
    class Diverges(Diligent):
        def loss(self, batch: Any) -> Any:
            found = super().loss(batch)
            return replace(found, total=found.total * torch.inf)

    class Adds:
        @hookimpl
        def cilsim_register_strategies(self, register: Register) -> None:
            register("diverges", Diverges)

    assert run_command(tmp_path, Adds(), ["diverges"]).messages == {
        "diverges": "strategy 'diverges': experience 0, epoch 1 of 1, step 1: the training loss is "
        "inf; a smaller 'lr' or 'clip_gradient_norm' may help"
    }
