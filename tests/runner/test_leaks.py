"""Hidden labels and test samples are absent from what a strategy can reach, not masked."""

from __future__ import annotations

import enum
import types
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pluggy
import pytest
import torch
from torch import Tensor

from cilsim import Options, Strategy, hookimpl
from cilsim.testing import Project, write_ring

LEAVES = (str, bytes, int, float, complex, type(None), enum.Enum, Path, type, types.ModuleType)
FOREIGN = (torch.dtype, torch.device, torch.Generator, np.dtype, pluggy.HookRelay)
STREAM = {"kind": "novel_class_discovery", "labelled_classes": 4, "stages": 2}
PROJECTION = {"hidden": 8, "bottleneck": 4}
DISCOVERERS = (
    {"name": "kmeans_discovery"},
    {"name": "gcd", **PROJECTION, "outputs": 16, "inits": 2},
    {"name": "simgcd", **PROJECTION},
    {"name": "protogcd", **PROJECTION},
    {"name": "happy", **PROJECTION},
    {"name": "frost"},
)
"""Every strategy of discovery, small."""


def reachable(root: Any, *, private: bool) -> Iterator[tuple[str, Any]]:
    """Yield (path, object) for all that can be reached through attributes and containers.

    With `private`, also through names that begin with an underscore, bound methods, closures and
    defaults of functions. Plugins of the process are not looked into: they are nobody's secret.
    """
    waiting, seen = [("", root)], set()
    while waiting:
        path, thing = waiting.pop()
        if isinstance(thing, (*LEAVES, *FOREIGN)) or id(thing) in seen:
            continue
        seen.add(id(thing))
        yield path, thing
        waiting += [(path + name, inner) for name, inner in inside(thing, private=private)]


def inside(thing: Any, *, private: bool) -> list[tuple[str, Any]]:
    if isinstance(thing, Tensor | np.ndarray):
        parent = thing.base if isinstance(thing, np.ndarray) else thing._base
        return [] if parent is None else [(".base", parent)]
    if isinstance(thing, Mapping):
        return [(f"[{key!r}]", value) for key, value in thing.items()]
    if isinstance(thing, list | tuple | set | frozenset):
        return [(f"[{place}]", value) for place, value in enumerate(thing)]
    if isinstance(thing, Options):
        return [(f".{name}", value) for name, value in thing]
    if isinstance(thing, types.MethodType):
        return [(".__self__", thing.__self__)]
    if isinstance(thing, types.FunctionType):
        cells = thing.__closure__ or () if private else ()
        return [(f".cell[{place}]", cell.cell_contents) for place, cell in enumerate(cells)]
    names = [*getattr(thing, "__dict__", {}), *slots(thing)]
    public = [name for name in dir(type(thing)) if not name.startswith("_")]
    wanted = [name for name in (*names, *public) if private or not name.startswith("_")]
    return [(f".{name}", value) for name, value in values(thing, wanted)]


def slots(thing: Any) -> list[str]:
    return [name for kind in type(thing).__mro__ for name in getattr(kind, "__slots__", ())]


def values(thing: Any, names: list[str]) -> Iterator[tuple[str, Any]]:
    for name in dict.fromkeys(names):
        try:
            yield name, getattr(thing, name)
        except (AttributeError, ValueError, RuntimeError, TypeError, AssertionError):
            continue  # properties that have no value now, such as `labelled`


def numbers(thing: Any) -> np.ndarray | None:
    """Return what can be compared with samples or labels, or None."""
    if isinstance(thing, Tensor):
        return thing.detach().cpu().numpy()
    if isinstance(thing, np.ndarray) and thing.dtype.kind in "iuf":
        return thing
    if isinstance(thing, list | tuple) and thing and all(isinstance(v, int | float) for v in thing):
        return np.array(thing)
    return None


class Looks:
    """Runs a check on strategy and experience after each experience was learnt."""

    def __init__(self, check: Callable[[Strategy, Any], None]) -> None:
        self.check, self.times = check, 0

    @hookimpl(wrapper=True)
    def cilsim_train_experience(self, strategy: Strategy, experience: Any) -> Any:
        self.check(strategy, experience)
        result = yield
        self.check(strategy, experience)
        self.times += 1
        return result


@pytest.fixture(params=DISCOVERERS, ids=lambda strategy: strategy["name"])
def look(tmp_path: Path, request: pytest.FixtureRequest) -> Callable[..., None]:
    def run(check: Callable[[Strategy, Any], None]) -> None:
        looks = Looks(check)
        project = Project.create(tmp_path)
        recipe = {"epochs": 1, "batch_size": 64, "lr": 0.01}
        scenario = project.ring_scenario(
            request.param,
            STREAM,
            base_training=recipe,
            training=recipe,
            evaluate={"representation": True},
        )
        outcome = project.run(scenario, reporters=lambda start: [looks])
        assert not outcome.failures
        assert looks.times == 3

    return run


@pytest.fixture
def data(tmp_path: Path) -> dict[str, Any]:
    return dict(np.load(write_ring(tmp_path / "same.npz"), allow_pickle=False))


@pytest.mark.parametrize("private", [False, True], ids=["public names", "private names too"])
def test_no_label_of_an_unlabelled_sample_can_be_reached(
    look: Callable[..., None], data: dict[str, Any], private: bool
) -> None:
    y_train = data["y_train"]

    def check(strategy: Strategy, experience: Any) -> None:
        if experience.unlabelled is None:
            return
        assert experience.unlabelled.labels is None
        hidden = y_train[experience.unlabelled.index.numpy()]
        for path, thing in reachable([strategy, experience], private=private):
            found = numbers(thing)
            if found is None:
                continue
            if found.shape == hidden.shape:
                assert not np.array_equal(found, hidden), path
            if found.shape == y_train.shape:
                assert not np.array_equal(found, y_train), path

    look(check)


def test_no_test_sample_and_no_test_label_has_a_public_name(
    look: Callable[..., None], data: dict[str, Any]
) -> None:
    secret = {tuple(sample) for sample in data["x_test"].tolist()}

    def check(strategy: Strategy, experience: Any) -> None:
        for path, thing in reachable([strategy, experience], private=False):
            found = numbers(thing)
            if found is None:
                continue
            if found.ndim == 2 and found.shape[1] == 2:
                assert not secret & {tuple(row) for row in found.tolist()}, path
            assert found.shape != data["y_test"].shape, path

    look(check)


def test_no_sample_of_a_later_experience_has_a_public_name(
    look: Callable[..., None], data: dict[str, Any]
) -> None:
    def check(strategy: Strategy, experience: Any) -> None:
        now = set(strategy.context.run.stream.experiences[experience.index].new_labels)
        later = data["y_train"] > max(now)
        future = data["x_train"][later]
        secret = {tuple(sample) for sample in future.tolist()}
        for path, thing in reachable([strategy, experience], private=False):
            found = numbers(thing)
            if found is not None and found.ndim == 2 and found.shape[1] == 2:
                assert not secret & {tuple(row) for row in found.tolist()}, path

    look(check)


def test_the_search_finds_what_is_hidden_behind_methods_and_closures() -> None:
    secret = np.arange(5)

    class Holder:
        def __init__(self) -> None:
            self._inner = [{"deep": secret}]

        def method(self) -> None:
            """Bound to the holder."""

    def closure() -> Any:
        return secret

    for root in (Holder(), Holder().method, closure, secret[1:]):
        assert any(thing is secret for _, thing in reachable([root], private=True))
    assert not any(thing is secret for _, thing in reachable([Holder()], private=False))
