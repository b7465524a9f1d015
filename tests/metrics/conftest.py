from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cilsim.records import ExperienceInfo, Predictions, StreamInfo

GOLDEN = Path(__file__).parents[1] / "golden"


@pytest.fixture
def golden() -> Callable[[str], dict[str, Any]]:
    def load(name: str) -> dict[str, Any]:
        with np.load(GOLDEN / f"{name}.npz", allow_pickle=False) as archive:
            return dict(archive)

    return load


@pytest.fixture
def case(golden, request):
    """One case of clustering, by name, with results of the published code."""
    prefix = f"{request.param}_"
    data = golden("gcd_hungarian_acc")
    chosen = {key.removeprefix(prefix): data[key] for key in data if key.startswith(prefix)}
    return {**chosen, "old": range(int(chosen["n_old"]))}


@pytest.fixture
def stream() -> Callable[..., StreamInfo]:
    """A stream from the number of classes, of test and of unlabelled samples of each experience."""

    def build(
        sizes: tuple[int, ...], tests: tuple[int, ...], unlabelled: tuple[int, ...] | None = None
    ) -> StreamInfo:
        ends = np.cumsum(sizes).tolist()
        hidden = unlabelled or (0,) * len(sizes)
        experiences = tuple(
            ExperienceInfo(
                index=index,
                name=f"experience {index}",
                new_labels=tuple(range(end - size, end)),
                seen=end,
                labelled=0 if count else 10,
                unlabelled=count,
                test=test,
            )
            for index, (size, end, test, count) in enumerate(
                zip(sizes, ends, tests, hidden, strict=True)
            )
        )
        labels = range(ends[-1])
        return StreamInfo(
            kind="class_incremental",
            dataset="none",
            protocol="",
            experiences=experiences,
            class_ids=tuple(labels),
            class_names=tuple(map(str, labels)),
            groups=("base", "novel"),
            digest="",
        )

    return build


@pytest.fixture
def predictions() -> Callable[..., Predictions]:
    def build(experience: int, label: list[int], predicted: list[int]) -> Predictions:
        return Predictions(
            experience, np.arange(len(label)), np.asarray(label), np.asarray(predicted)
        )

    return build
