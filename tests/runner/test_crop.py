"""A data set that crops gives what cropped images would have given, in training and testing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from cilsim import Context, Experience, Options, Strategy, hookimpl
from cilsim.data.arrays import arrays_dataset
from cilsim.data.dataset import DataFacts, DataSet
from cilsim.registry import Register
from cilsim.runner.from_python import run

SIDE, MARGIN = 8, 2


def dataset(margin: int) -> DataSet:
    """Return images of four classes with a margin of noise around, which the crop removes."""
    rng = np.random.default_rng(0)
    y = np.arange(4).repeat(12)
    inner = rng.integers(0, 100, (48, 3, SIDE, SIDE)) + 30 * y[:, None, None, None]
    stored = rng.integers(0, 256, (48, 3, SIDE + 2 * margin, SIDE + 2 * margin))
    stored[:, :, margin : margin + SIDE, margin : margin + SIDE] = inner
    x = stored.astype(np.uint8)
    made = arrays_dataset(x, y, x[::2], y[::2], mean=[0.5] * 3, std=[0.25] * 3, name="birds")
    facts = replace(made.facts, sample_shape=(3, SIDE, SIDE))
    return replace(made, facts=facts, crop=SIDE if margin else None)


class Pixels(Strategy):
    """Scores images by their brightness, and remembers what shapes it was shown."""

    scores_images = True
    shapes: set[tuple[int, ...]]

    def __init__(self, options: Options, context: Context) -> None:
        super().__init__(options, context)
        self.shapes = set()

    def learn(self, experience: Experience) -> None:
        """Note how many classes there are."""
        self._seen = experience.seen_classes

    def scores(self, features: torch.Tensor) -> torch.Tensor:
        """Return the closeness of the mean level to that of each class."""
        self.shapes.add(tuple(features.shape[1:]))
        assert self.shapes == {(3, SIDE, SIDE)}
        level = features.mean((1, 2, 3))[:, None]
        return -(level + torch.arange(4)[None, : self._seen] * 0.1).abs()


class Birds:
    """Registers the data set and the strategy."""

    cilsim_api = 1

    def __init__(self, margin: int) -> None:
        self._dataset = dataset(margin)

    @hookimpl
    def cilsim_register_datasets(self, register: Register) -> None:
        register("birds", self._load, facts=self._facts, summary="birds")

    @hookimpl
    def cilsim_register_strategies(self, register: Register) -> None:
        register("pixels", Pixels, options=Options, summary="brightness")

    def _load(self, options: Options) -> DataSet:
        return self._dataset

    def _facts(self, options: Options) -> DataFacts:
        return self._dataset.facts


@pytest.mark.parametrize("strategy", ["nmc", "finetune", "pixels"])
def test_results_are_those_of_cropped_images(tmp_path: Path, strategy: str) -> None:
    scenario: dict[str, Any] = {
        "schema": 1, "name": "birds", "strategies": [strategy], "backbone": "small",
        "stream": {"kind": "class_incremental", "dataset": "birds", "sizes": [2, 2]},
        "base_training": {"epochs": 2, "augmentation": {"flip": True}}, "training": {"epochs": 2},
    }  # fmt: skip
    files = []
    for margin in (0, MARGIN):
        out = tmp_path / str(margin)
        run(scenario, plugins=[("birds", Birds(margin))], out=out, device="cpu", cache=False)
        files.append((out / "birds" / strategy / "seed-0" / "metrics.jsonl").read_text())
    assert files[0] == files[1]
    assert "A_all" in files[0]
