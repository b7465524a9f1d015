"""What a scenario will take, estimated from a part of its samples."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cilsim.data.arrays import arrays_dataset
from cilsim.errors import DataError
from cilsim.plugins import discover
from cilsim.runner.estimate import estimate, seconds
from cilsim.runner.probe import Probe, Probes, bytes_below
from cilsim.runner.request import RunRequest
from cilsim.runner.scenario_run import run_scenario
from cilsim.runner.thinning import thinned
from cilsim.scenario.load import load_text
from cilsim.scenario.schema import Scenario
from cilsim.streams.plan import NO_SAMPLES, ExperiencePlan, StreamPlan
from cilsim.testing import write_ring

RING = """\
name: ring
stream: {{kind: class_incremental, experiences: 5, dataset: {{name: arrays, path: {path}}}}}
backbone: mlp
base_training: {{epochs: 6, batch_size: 16}}
training: {{epochs: 6, batch_size: 16}}
strategies: [nmc, finetune]
seeds: [0, 1]
"""


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CILSIM_CACHE", str(tmp_path / "cache"))


def ring_scenario(folder: Path) -> Scenario:
    write_ring(folder / "ring.npz")
    return load_text(RING.format(path=folder / "ring.npz"), "ring", discover().registries)


def probes(train: tuple[float, ...], evaluate: tuple[float, ...]) -> Probes:
    return Probes({"one": Probe(train, evaluate, 0, 0)}, 0, 0, 0)


def test_time_grows_with_epochs_and_samples() -> None:
    short, long = probes((1.5, 0.7), (0.1, 0.2)), probes((3.5, 1.1), (0.3, 0.15))
    epochs = (1, 1), (5, 3), (100, 30)
    sizes = [(10, 5), (4, 10)], [(20, 50), (4, 100)]

    base = (3.5 + 0.5 * 95) * 2  # half a second per epoch, twice the samples
    later = 1.1 + 0.2 * 27
    evaluations = 0.1 * 10 + 0.15 * 10
    assert seconds(short, long, "one", epochs, sizes) == pytest.approx(base + later + evaluations)


def test_a_strategy_that_does_not_train_is_not_charged_for_epochs() -> None:
    short, long = probes((2.0,), (0.0,)), probes((1.9,), (0.0,))

    taken = seconds(short, long, "one", ((1, 1), (5, 5), (100, 30)), ([(1, 1)], [(1, 1)]))
    assert taken == 1.9


def test_a_part_keeps_a_share_of_each_class_and_a_few_of_the_rarest() -> None:
    y = np.repeat([0, 1, 2], [600, 300, 5])
    x = np.zeros((905, 2), dtype=np.float32)
    dataset = arrays_dataset(x, y, x, y)
    every = np.arange(905)
    plan = StreamPlan(
        "class_incremental", "B3", (0, 1, 2),
        (ExperiencePlan(0, "base", (0, 1, 2), every, NO_SAMPLES, every[:10]),), ("base", "novel"),
    )  # fmt: skip

    [thin] = thinned(plan, dataset.facts, (45, 1)).experiences
    assert np.bincount(y[thin.labelled]).tolist() == [60, 30, 5]
    assert (np.diff(thin.labelled) > 0).all()
    assert len(thin.unlabelled) == 0
    assert thin.test.tolist() == list(range(10))


def test_results_and_cache_are_what_a_run_writes_within_a_factor_of_two(tmp_path: Path) -> None:
    scenario, plugins = ring_scenario(tmp_path), discover()
    found = estimate(scenario, plugins, "cpu")
    run_scenario(scenario, plugins, RunRequest(tmp_path / "runs", "cpu"))

    written = sum(bytes_below(tmp_path / "runs" / "ring" / label) for label in ("nmc", "finetune"))
    assert written / 2 < found.results_bytes < written * 2
    stored = bytes_below(tmp_path / "cache" / "store")
    assert stored / 2 < found.cache_bytes < stored * 2
    assert set(found.seconds) == {"nmc", "finetune"}
    assert min(found.seconds.values()) > 0
    assert found.memory_bytes > 100_000_000  # of the process, which has torch in it
    assert found.device == "cpu"
    assert 0 < found.share <= 1


def test_an_estimate_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    estimate(ring_scenario(tmp_path), discover(), "cpu")

    assert list(scratch.iterdir()) == []
    assert not (tmp_path / "cache" / "store").exists()


def test_missing_data_are_told_as_by_a_run(tmp_path: Path) -> None:
    scenario = ring_scenario(tmp_path)
    (tmp_path / "ring.npz").unlink()

    with pytest.raises(DataError) as caught:
        estimate(scenario, discover(), "cpu")
    with pytest.raises(DataError) as of_a_run:
        run_scenario(scenario, discover(), RunRequest(tmp_path / "runs", "cpu"))
    assert str(caught.value) == str(of_a_run.value)
