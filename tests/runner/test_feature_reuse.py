"""Each image passes each version of a backbone once: over experiences, strategies and commands."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from cilsim import hookimpl
from cilsim.backbones.backbone import Backbone, fingerprint
from cilsim.errors import Interrupted
from cilsim.options import Options
from cilsim.runner.interruption import StopRequest
from cilsim.testing import Project
from cilsim.testing.spies import StopAfterCheckpoint

STRATEGIES = [
    "nmc", "teen", "fetril", "slda",
    {"name": "fecam", "covariance": "common"},
    {"name": "ranpac", "random_features": 40},
]  # fmt: skip
SAMPLES = 10 * (60 + 30)
"""Training and test samples of the ring."""
ENGINE_TRIES_WITH = (0.0, 0.0)
"""What the engine passes through a new backbone to see what comes out."""


class CountedOptions(Options):
    """Options of the counted backbone."""

    given: bool = False
    """Whether the weights are the same for every seed, and frozen."""


class Counted(Backbone):
    """A small network that notes what passes through it."""

    feature_size = 8

    def __init__(self, counts: Counts) -> None:
        super().__init__()
        self.layer = nn.Linear(2, 8)
        self.counts = counts

    def forward(self, x: Tensor) -> Tensor:
        if self.training:
            self.counts.trained += len(x)
        else:
            version = fingerprint(self)  # padding repeats a sample within its chunk
            rows = {tuple(row) for row in x.tolist()} - {ENGINE_TRIES_WITH}
            self.counts.passes.update((version, row) for row in rows)
        return self.layer(x).sigmoid()


class Counts:
    """Registers the counted backbone.

    Attributes:
        passes: how often each sample passed each version in evaluation mode.
        trained: how many samples passed in training mode.
    """

    cilsim_api = 1

    def __init__(self) -> None:
        self.passes: Counter[tuple[str, tuple[float, ...]]] = Counter()
        self.trained = 0

    @hookimpl
    def cilsim_register_backbones(self, register: Any) -> None:
        register("counted", self.build, options=CountedOptions, accepts="features")

    def build(self, options: Any, shape: tuple[int, ...], generator: torch.Generator) -> Backbone:
        backbone = Counted(self)
        backbone.draw(torch.Generator().manual_seed(0) if options.given else generator)
        return backbone.requires_grad_(not options.given)

    def forget(self) -> None:
        """Count from nothing again."""
        self.passes.clear()
        self.trained = 0


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CILSIM_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def counts() -> Counts:
    return Counts()


@pytest.fixture
def run(tmp_path: Path, counts: Counts, cache: Path) -> Callable[..., Any]:
    """Return what runs strategies on the ring as a command of its own, with the cache."""
    project = Project.create(tmp_path, [("counts", counts)])
    recipe = {"epochs": 2, "batch_size": 16, "lr": 0.05, "schedule": "constant"}

    def command(
        name: str, strategies: Any = STRATEGIES, *, given: bool = False, seeds: Any = (0, 1),
        **request: Any,
    ) -> Any:  # fmt: skip
        scenario = project.ring_scenario(
            "nmc", backbone={"name": "counted", "given": given}, strategies=list(strategies),
            seeds=list(seeds), base_training=recipe,
        )  # fmt: skip
        del scenario["strategy"]
        outcome = project.run(scenario, name, **{"cache": True, **request})
        assert [failure.message for failure in outcome.failures] == []
        return outcome

    return command


def bytes_of(outcome: Any) -> dict[str, bytes]:
    """Return everything that must be equal between equal runs."""
    names = ("metrics.jsonl", "accuracy_matrix.csv", "predictions/*.npz")
    return {
        path.relative_to(outcome.folder).as_posix(): path.read_bytes()
        for name in names
        for path in sorted(outcome.folder.glob(f"*/seed-*/{name}"))
    }


def test_each_sample_passes_the_base_of_each_seed_once_whatever_the_strategies(
    run: Callable[..., Any], counts: Counts
) -> None:
    run("toy")
    assert set(counts.passes.values()) == {1}
    assert len({version for version, _ in counts.passes}) == 2
    assert counts.passes.total() == 2 * SAMPLES


def test_seeds_that_share_given_weights_share_their_features(
    run: Callable[..., Any], counts: Counts
) -> None:
    run("toy", given=True)
    assert set(counts.passes.values()) == {1}
    assert counts.passes.total() == SAMPLES
    assert counts.trained == 0


def test_a_second_strategy_on_the_same_base_trains_and_extracts_nothing(
    run: Callable[..., Any], counts: Counts
) -> None:
    run("one", ["nmc"], seeds=[0], cache=False)
    first = counts.trained, counts.passes.total()
    counts.forget()
    run("two", ["nmc", "teen"], seeds=[0], cache=False)
    assert (counts.trained, counts.passes.total()) == first == (2 * 2 * 60, SAMPLES)


def test_a_second_command_trains_and_extracts_nothing_and_gives_the_same_bytes(
    run: Callable[..., Any], counts: Counts
) -> None:
    alone = bytes_of(run("alone", cache=False))
    assert bytes_of(run("first")) == alone
    counts.forget()
    assert bytes_of(run("second")) == alone
    assert (counts.trained, counts.passes.total()) == (0, 0)


def test_other_strategies_of_a_later_command_use_the_features_of_the_first(
    run: Callable[..., Any], counts: Counts
) -> None:
    run("first", ["nmc"])
    counts.forget()
    run("second", ["fetril", "slda"])
    assert (counts.trained, counts.passes.total()) == (0, 0)


def test_features_take_one_file_per_run_that_extracted_any(
    run: Callable[..., Any], cache: Path
) -> None:
    run("toy")
    assert len(list((cache / "store" / "features").iterdir())) == 2  # one per seed


def test_without_the_cache_no_features_are_left(run: Callable[..., Any], cache: Path) -> None:
    run("toy", ["nmc"], cache=False)
    assert not cache.exists()


def test_a_damaged_file_of_features_is_named_and_they_are_extracted_again(
    run: Callable[..., Any], counts: Counts, cache: Path, caplog: pytest.LogCaptureFixture
) -> None:
    first = bytes_of(run("first", ["nmc"], seeds=[0]))
    [path] = (cache / "store" / "features").rglob("tensors.safetensors")
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    counts.forget()
    assert bytes_of(run("second", ["nmc"], seeds=[0])) == first
    assert counts.passes.total() == SAMPLES
    assert f"{path}: is damaged: its checksum does not match the one in state.json" in caplog.text
    counts.forget()
    run("third", ["nmc"], seeds=[0])
    assert counts.passes.total() == 0


def test_features_of_weights_that_no_other_run_comes_to_are_not_stored(
    run: Callable[..., Any], cache: Path
) -> None:
    run("toy", ["icarl"], seeds=[0])
    kept = list((cache / "store" / "features").iterdir())
    assert len(kept) == 1  # of the base, not of what later experiences made of it


def test_an_interrupted_run_keeps_what_it_extracted(
    run: Callable[..., Any], counts: Counts, cache: Path
) -> None:
    stop = StopRequest()
    spies = [StopAfterCheckpoint(stop)]
    with pytest.raises(Interrupted):
        run("toy", ["nmc"], seeds=[0], stop=stop, reporters=lambda start: spies)
    passed = counts.passes.total()
    assert passed == 2 * 90
    run("other", ["nmc"], seeds=[0])
    assert set(counts.passes.values()) == {1}
    assert counts.passes.total() == SAMPLES
