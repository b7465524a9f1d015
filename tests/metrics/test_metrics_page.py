"""The page on metrics names every metric, and its worked example is what the code computes."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from cilsim.metrics.evaluate import evaluate_predictions
from cilsim.metrics.names import METRICS
from cilsim.records import Predictions, StreamInfo

RIGHT = [[9, 9], [8, 7, 8], [8, 8, 6, 9]]
"""Right predictions of each class, of ten, after each experience."""


def history() -> list[Predictions]:
    """Predictions of which a wrong one names the next class."""
    found = []
    for after, right in enumerate(RIGHT):
        label = np.repeat(np.arange(len(right)), 10)
        wrong = np.arange(len(label)) % 10 >= np.repeat(right, 10)
        predicted = np.where(wrong, (label + 1) % len(right), label)
        found.append(Predictions(after, np.arange(len(label)), label, predicted))
    return found


@pytest.fixture
def shown(root: Path) -> dict[str, str]:
    rows = re.findall(
        r"^\| `([\w/]+)` \| [^|]+ \| (-?[\d.]+) \|$",
        (root / "docs" / "metrics.md").read_text(),
        re.MULTILINE,
    )
    return dict(rows)


def test_the_worked_example_is_what_the_code_computes(
    shown: dict[str, str], stream: Callable[..., StreamInfo]
) -> None:
    values = evaluate_predictions(history(), stream((2, 1, 1), (20, 10, 10))).values
    assert shown == {name: f"{values[name]:.3f}" for name in shown}
    assert len(shown) == 13


def test_every_metric_is_defined(root: Path) -> None:
    text = (root / "docs" / "metrics.md").read_text()
    assert [name for name in METRICS if f"| `{name}` |" not in text] == []
