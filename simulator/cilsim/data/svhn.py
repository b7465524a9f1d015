"""`svhn`, the house numbers of Netzer et al. 2011, cropped digits of 32 x 32 pixels.

Class ids are the digits; the files say 10 for the digit 0. The 531 131 easier digits of the file
`extra_32x32.mat` are not used.

Axis letters: N images, H W pixels, C channels.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cilsim.data.dataset import DataFacts, DataSet
from cilsim.data.digest import dataset_digest
from cilsim.data.image_set import VerifiedOptions
from cilsim.data.mat_file import read_variables
from cilsim.data.moments import channel_moments
from cilsim.data.publication import Publication, PublishedFile, require_intact
from cilsim.errors import DataError
from cilsim.records import IntArray

_PAGE = "http://ufldl.stanford.edu/housenumbers/"
PUBLICATION = Publication(
    name="svhn",
    page=_PAGE,
    licence="non-commercial use",
    classes=10,
    train=73_257,
    test=26_032,
    files=(
        PublishedFile(
            "train_32x32.mat",
            "e26dedcc434d2e4c54c9b2d4a06d8373",
            182_040_794,
            (f"{_PAGE}train_32x32.mat",),
        ),
        PublishedFile(
            "test_32x32.mat",
            "eb5a983be6a315427106f1b164d9cef3",
            64_275_384,
            (f"{_PAGE}test_32x32.mat",),
        ),
    ),
)
SIDE = 32
DIGITS = 10


class SvhnOptions(VerifiedOptions):
    """Options of SVHN."""

    verify: bool = True
    """Compare each file with its published checksum when images are loaded."""


def facts_svhn(options: SvhnOptions) -> DataFacts:
    """Return the facts of SVHN; the files must be there, of which only the labels are read."""
    labels = [_labels(path) for path in _paths(options)]
    return _facts(*labels)


def load_svhn(options: SvhnOptions) -> DataSet:
    """Return SVHN: 10 digits, 73 257 and 26 032 images, in the order of the files."""
    paths = _paths(options)
    if options.verify:
        require_intact(PUBLICATION, paths)
    facts = _facts(*(_labels(path) for path in paths))
    x_train, x_test = (
        _images(path, len(labels))
        for path, labels in zip(paths, (facts.y_train, facts.y_test), strict=True)
    )
    digest = dataset_digest(x_train, facts.y_train, x_test, facts.y_test)
    return DataSet("svhn", facts, x_train, x_test, *channel_moments(x_train), digest)


def _facts(y_train: IntArray, y_test: IntArray) -> DataFacts:
    names = tuple(str(digit) for digit in range(DIGITS))
    return DataFacts(tuple(range(DIGITS)), names, y_train, y_test, (3, SIDE, SIDE))


def _paths(options: SvhnOptions) -> list[Path]:
    root = PUBLICATION.root(options.root)
    for file in PUBLICATION.files:
        if not (root / file.name).is_file():
            raise PUBLICATION.missing(f"{file} is not in '{root}'", options.root)
    return [root / file.name for file in PUBLICATION.files]


def _labels(path: Path) -> IntArray:
    """Return (N,) digits."""
    stored = read_variables(PUBLICATION.where, path.name, path, ["y"])["y"]
    labels: IntArray = np.asarray(stored).reshape(-1)
    whole = np.issubdtype(labels.dtype, np.integer)
    if not whole or not ((labels >= 1) & (labels <= DIGITS)).all():
        raise DataError(
            f"{PUBLICATION.where}: '{path.name}' has labels 'y' that are not whole numbers from 1 "
            f"to {DIGITS} - fetch it again"
        )
    return labels.astype(np.int64) % DIGITS


def _images(path: Path, count: int) -> NDArray[np.uint8]:
    """Return (N, C, H, W) from the stored (H, W, C, N)."""
    stored = read_variables(PUBLICATION.where, path.name, path, ["X"])["X"]
    expected = (SIDE, SIDE, 3, count)
    if stored.shape != expected or stored.dtype != np.uint8:
        raise DataError(
            f"{PUBLICATION.where}: '{path.name}' has images 'X' of shape {stored.shape} and type "
            f"{stored.dtype} - expected {expected} and uint8; fetch it again"
        )
    return np.ascontiguousarray(stored.transpose(3, 2, 0, 1))
