"""`cifar10` and `cifar100` from the files that their author publishes (Krizhevsky 2009).

Nothing is fetched here. Both the archive and the unpacked folder are read, without unpacking to
disk and without running what a pickle may name. Images keep the order of the files, to which the
published few-shot index lists refer.
"""

from __future__ import annotations

from hashlib import md5
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cilsim.data.archive import read_files
from cilsim.data.cifar_published import CIFAR10, CIFAR100, Source
from cilsim.data.dataset import DataFacts, DataSet
from cilsim.data.digest import dataset_digest
from cilsim.data.plain_pickle import PickleRefused, as_text, read_plain_pickle
from cilsim.errors import DataError
from cilsim.options import Options
from cilsim.records import IntArray


class CifarOptions(Options):
    """Options of CIFAR-10 and CIFAR-100."""

    root: Path | None = None
    """Folder that holds the archive or the unpacked folder; by default that of the data set in
    the data root."""
    verify: bool = True
    """Compare each file with its published checksum when images are loaded."""


def facts_cifar10(options: CifarOptions) -> DataFacts:
    """Return the facts of CIFAR-10; the files must be there."""
    return _read(CIFAR10, options, verify=False)[0]


def facts_cifar100(options: CifarOptions) -> DataFacts:
    """Return the facts of CIFAR-100; the files must be there."""
    return _read(CIFAR100, options, verify=False)[0]


def load_cifar10(options: CifarOptions) -> DataSet:
    """Return CIFAR-10: 10 classes, 50 000 and 10 000 images."""
    return _load(CIFAR10, options)


def load_cifar100(options: CifarOptions) -> DataSet:
    """Return CIFAR-100: 100 classes (the fine labels), 50 000 and 10 000 images."""
    return _load(CIFAR100, options)


def _load(source: Source, options: CifarOptions) -> DataSet:
    facts, train, x_test = _read(source, options, verify=options.verify)
    x_train = np.concatenate(train)
    digest = dataset_digest(x_train, facts.y_train, x_test, facts.y_test)
    return DataSet(source.name, facts, x_train, x_test, source.mean, source.std, digest)


def _read(
    source: Source, options: CifarOptions, *, verify: bool
) -> tuple[DataFacts, list[NDArray[np.uint8]], NDArray[np.uint8]]:
    """Return the facts, the training images file by file, and the test images."""
    files = _files(source, options)
    if verify:
        _verify(source, files)
    names = _class_names(source, files.pop(source.meta_file))
    x_test, y_test = _batch(source, source.test_file, files, len(names))
    batches = [_batch(source, name, files, len(names)) for name in source.train_files]
    facts = DataFacts(
        class_ids=tuple(range(len(names))),
        class_names=names,
        y_train=np.concatenate([labels for _, labels in batches]),
        y_test=y_test,
        sample_shape=(3, 32, 32),
    )
    return facts, [images for images, _ in batches], x_test


def _files(source: Source, options: CifarOptions) -> dict[str, bytes]:
    publication = source.publication
    root, where = publication.root(options.root), publication.where
    wanted = (*source.train_files, source.test_file, source.meta_file)
    if (root / source.folder).is_dir():
        return read_files(where, root / source.folder, wanted)
    if (root / source.archive).is_file():
        return read_files(where, root / source.archive, wanted, inside=source.folder)
    [archive] = publication.files
    raise publication.missing(
        f"neither {archive} nor the unpacked folder '{source.folder}' is in '{root}'", options.root
    )


def _verify(source: Source, files: dict[str, bytes]) -> None:
    for name, content in files.items():
        found = md5(content, usedforsecurity=False).hexdigest()
        if found != source.file_md5[name]:
            raise DataError(
                f"data set '{source.name}': '{name}' has md5 {found} - published is "
                f"{source.file_md5[name]} - fetch {source.address} again, or set "
                "'verify: false' if it was changed on purpose"
            )


def _unpickle(source: Source, name: str, content: bytes) -> dict[str, Any]:
    try:
        return read_plain_pickle(content)
    except PickleRefused as error:
        raise DataError(
            f"data set '{source.name}': '{name}' is refused: {error} - "
            "expected a dictionary of numbers, texts and arrays of unsigned bytes"
        ) from error


def _class_names(source: Source, content: bytes) -> tuple[str, ...]:
    names = _unpickle(source, source.meta_file, content).get(source.names_key)
    if not isinstance(names, list) or not names:
        raise DataError(
            f"data set '{source.name}': '{source.meta_file}' has no list '{source.names_key}'"
        )
    return tuple(as_text(name) for name in names)


def _batch(
    source: Source, name: str, files: dict[str, bytes], classes: int
) -> tuple[NDArray[np.uint8], IntArray]:
    """Return images (N, 3, 32, 32) and class ids (N,) of one file, which is then let go."""
    batch = _unpickle(source, name, files.pop(name))
    pixels, labels = batch.get("data"), batch.get(source.labels_key)
    shape = pixels.shape if isinstance(pixels, np.ndarray) else None
    count = len(labels) if isinstance(labels, list) else None
    if shape is None or count is None or shape != (count, 3072):
        raise DataError(
            f"data set '{source.name}': '{name}' has 'data' of shape {shape} and {count} "
            f"'{source.labels_key}' - expected shape (N, 3072) and N of them"
        )
    assert isinstance(pixels, np.ndarray)
    if not all(isinstance(label, int) and 0 <= label < classes for label in labels or ()):
        raise DataError(
            f"data set '{source.name}': '{name}' has '{source.labels_key}' that are not integers "
            f"from 0 to {classes - 1}"
        )
    return pixels.reshape(-1, 3, 32, 32), np.array(labels, dtype=np.int64)
