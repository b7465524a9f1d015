"""`digits`: the 1797 scanned digits that come with scikit-learn, 8 x 8 pixels shown as 16 x 16.

Real, tiny and always there: for tests and first steps, too small for conclusions.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from cilsim.data.dataset import DataFacts, DataSet
from cilsim.data.digest import dataset_digest
from cilsim.data.moments import channel_moments
from cilsim.options import Options
from cilsim.records import IntArray
from cilsim.seeding import derive_seed

COUNTS = (178, 182, 177, 183, 181, 182, 181, 179, 174, 180)
"""Images per digit, so that a scenario is checked without importing scikit-learn (a second)."""


class DigitsOptions(Options):
    """Options of the digits."""

    test_fraction: Annotated[float, Field(gt=0.0, lt=1.0)] = 0.3
    """Part of each class's images that is for testing; which ones does not depend on any seed."""


def facts_digits(options: DigitsOptions) -> DataFacts:
    """Return the facts of the digits from the counts alone."""
    test = [_test_count(count, options.test_fraction) for count in COUNTS]
    train = [count - held for count, held in zip(COUNTS, test, strict=True)]
    class_ids = np.arange(len(COUNTS), dtype=np.int64)
    return DataFacts(
        class_ids=tuple(range(len(COUNTS))),
        class_names=tuple(str(digit) for digit in range(len(COUNTS))),
        y_train=class_ids.repeat(train),
        y_test=class_ids.repeat(test),
        sample_shape=(3, 16, 16),
    )


def load_digits(options: DigitsOptions) -> DataSet:
    """Return the digits, class after class, each class in scikit-learn's order.

    Every pixel is doubled in both directions (nothing is interpolated), its 17 grey levels are
    spread over 0..255, and the one channel is repeated to three.
    """
    grey_NHW, class_ids = _published()
    facts = facts_digits(options)
    train, test = _split(class_ids, options.test_fraction)
    x_train, x_test = (_pixels(grey_NHW[index]) for index in (train, test))
    mean, std = channel_moments(x_train)
    digest = dataset_digest(x_train, facts.y_train, x_test, facts.y_test)
    return DataSet("digits", facts, x_train, x_test, mean, std, digest)


def _published() -> tuple[NDArray[np.float64], IntArray]:
    """Return (N, 8, 8) grey levels 0..16 and (N,) digits.

    They are read from scikit-learn's file, where it is known to lie: importing scikit-learn for
    this alone takes longer than a short run.
    """
    found = find_spec("sklearn")
    folder = Path(found.origin).parent if found is not None and found.origin else Path()
    file = folder / "datasets" / "data" / "digits.csv.gz"
    if not file.is_file():
        from sklearn import datasets

        bunch = datasets.load_digits()
        return bunch.images, bunch.target
    table = np.loadtxt(file, delimiter=",")
    return table[:, :-1].reshape(-1, 8, 8), table[:, -1].astype(np.int64)


def _test_count(count: int, fraction: float) -> int:
    return min(max(int(count * fraction + 0.5), 1), count - 1)


def _split(class_ids: IntArray, fraction: float) -> tuple[IntArray, IntArray]:
    train, test = [], []
    for digit in range(len(COUNTS)):
        positions = np.flatnonzero(class_ids == digit)
        shuffled = np.random.default_rng(derive_seed("digits", "split", digit)).permutation(
            positions
        )
        held = _test_count(len(positions), fraction)
        test.append(np.sort(shuffled[:held]))
        train.append(np.sort(shuffled[held:]))
    return np.concatenate(train), np.concatenate(test)


def _pixels(grey_NHW: NDArray[np.float64]) -> NDArray[np.uint8]:
    levels_NHW = np.rint(grey_NHW * (255.0 / 16.0)).astype(np.uint8)
    doubled_NHW = levels_NHW.repeat(2, axis=1).repeat(2, axis=2)
    return np.ascontiguousarray(doubled_NHW[:, None].repeat(3, axis=1))
