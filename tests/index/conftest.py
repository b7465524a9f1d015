"""Run folders in the true format, stored without a run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from cilsim.records import Evaluation, ExperienceInfo, Predictions, StreamInfo
from cilsim.results.run_folder import RunFolder

RESOLVED = """\
# every value of this scenario, defaults included
# hash: {hash}
name: {name}
stream: {{kind: class_incremental, dataset: {{name: ring}}, increment: 1}}
backbone: {{name: small}}
strategies:
- {{name: nmc, as: {strategy}}}
"""

STREAM = StreamInfo(
    kind="class_incremental",
    dataset="ring",
    protocol="B1-Inc1",
    experiences=(ExperienceInfo(0, "base", (0,), 1, 10, 0, 2),),
    class_ids=(0,),
    class_names=("zero",),
    groups=("base", "novel"),
    digest="d",
)

Store = Callable[..., Path]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The folder of all runs."""
    (tmp_path / "runs").mkdir()
    return tmp_path / "runs"


@pytest.fixture
def store(root: Path) -> Store:
    """Stores one finished run of one experience and returns its run folder."""

    def store(
        name: str, strategy: str = "nmc", seed: int = 0, within: str = "", **values: float
    ) -> Path:
        text = RESOLVED.format(name=name, strategy=strategy, hash="c0ffee")
        place = root / within
        with RunFolder.open_or_create(
            place, name, "", text, "c0ffee", lambda old, new: []
        ) as folder:
            ones = np.zeros(2, dtype=np.int64)
            evaluation = Evaluation(
                experience=0,
                values=values or {"A_all": 0.5},
                accuracy_matrix=np.array([[0.5]]),
                confusion=np.eye(1, dtype=np.int64),
                predictions=Predictions(0, np.arange(2, dtype=np.int64), ones, ones),
                seconds={"train": 2.0, "evaluate": 0.5},
                kept={"prototypes": 16, "exemplars": 4},
            )
            folder.seed_folder(strategy, seed).write_evaluation([evaluation], STREAM)
            folder.status.advance(strategy, seed, experience=1, of=1)
            folder.status.end("finished")
        return place / name

    return store
