from __future__ import annotations

import gzip
from collections.abc import Callable
from dataclasses import replace
from hashlib import md5
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cilsim.data import mnist
from cilsim.data.mnist import (
    FASHION_MNIST,
    FILES,
    KMNIST,
    MNIST,
    MnistOptions,
    facts_fashion_mnist,
    facts_kmnist,
    facts_mnist,
    load_fashion_mnist,
    load_kmnist,
    load_mnist,
)
from cilsim.data.moments import channel_moments
from cilsim.errors import DataError

Write = Callable[..., None]


def idx(array: Any) -> bytes:
    sizes = b"".join(size.to_bytes(4, "big") for size in array.shape)
    return bytes((0, 0, 8, array.ndim)) + sizes + array.astype(np.uint8).tobytes()


def pixels(count: int, seed: int) -> Any:
    return np.random.default_rng(seed).integers(0, 256, (count, 28, 28), dtype=np.uint8)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Twelve training and three test images as published, each file compressed."""
    contents = (pixels(12, 0), np.arange(12) % 10, pixels(3, 1), np.array([9, 0, 4]))
    for name, content in zip(FILES, contents, strict=True):
        (tmp_path / f"{name}.gz").write_bytes(gzip.compress(idx(content)))
    return tmp_path


def options(root: Path, **changes: Any) -> MnistOptions:
    return MnistOptions(root=root, **{"verify": False, **changes})


def refusal(root: Path, **changes: Any) -> str:
    with pytest.raises(DataError) as caught:
        load_mnist(options(root, **changes))
    return str(caught.value)


@pytest.mark.parametrize(
    ("name", "load", "facts", "first"),
    [
        ("mnist", load_mnist, facts_mnist, "0"),
        ("fashion_mnist", load_fashion_mnist, facts_fashion_mnist, "T-shirt/top"),
        ("kmnist", load_kmnist, facts_kmnist, "o"),
    ],
)
def test_images_are_grey_and_in_the_order_of_the_files(
    name: str, load: Any, facts: Any, first: str, folder: Path
) -> None:
    dataset, known = load(options(folder)), facts(options(folder))
    assert dataset.name == name
    assert dataset.x_train.tolist() == pixels(12, 0)[:, None].tolist()
    assert dataset.x_test.tolist() == pixels(3, 1)[:, None].tolist()
    assert known.y_train.tolist() == dataset.facts.y_train.tolist() == [*range(10), 0, 1]
    assert known.y_test.tolist() == dataset.facts.y_test.tolist() == [9, 0, 4]
    assert (len(known.class_names), known.class_names[0]) == (10, first)
    assert known.sample_shape == (1, 28, 28)
    assert (dataset.mean, dataset.std) == channel_moments(pixels(12, 0)[:, None])


def test_unpacked_files_are_read_too(folder: Path) -> None:
    packed = load_mnist(options(folder))
    for name in FILES[:3]:
        content = gzip.decompress((folder / f"{name}.gz").read_bytes())
        (folder / f"{name}.gz").unlink()
        (folder / name).write_bytes(content)
    assert load_mnist(options(folder)).digest == packed.digest
    assert refusal(folder, verify=True).startswith(
        f"data set 'mnist': '{folder}/t10k-labels-idx1-ubyte.gz' has md5 "
    )


def test_published_files_are_those_of_torchvision() -> None:
    from torchvision import datasets

    classes = (datasets.MNIST, datasets.FashionMNIST, datasets.KMNIST)
    for (publication, layout), theirs in zip((MNIST, FASHION_MNIST, KMNIST), classes, strict=True):
        assert [(file.name, file.md5) for file in publication.files] == theirs.resources
        for file in publication.files:
            assert file.addresses[0].removesuffix(file.name) in theirs.mirrors
        names = [name.partition(" - ")[2] or name for name in theirs.classes]
        if layout.name != "mnist":
            assert list(layout.class_names) == names


def test_a_missing_file_is_named_with_command_and_place(places: Path) -> None:
    with pytest.raises(DataError) as caught:
        facts_kmnist(MnistOptions())
    assert str(caught.value) == (
        "data set 'kmnist': neither 'train-images-idx3-ubyte.gz' (md5 "
        "bdb82020997e1d708af4cf47b453dcf7) nor the unpacked 'train-images-idx3-ubyte' is in "
        f"'{places}/data/kmnist' - fetch it with 'cilsim data fetch kmnist' or from "
        "http://codh.rois.ac.jp/kmnist/ into that folder; the data set 'glyphs100' needs no "
        "download"
    )


def test_a_file_that_is_not_the_published_one_is_refused(folder: Path) -> None:
    path = folder / "train-images-idx3-ubyte.gz"
    assert refusal(folder, verify=True) == (
        f"data set 'mnist': '{path}' has md5 {md5(path.read_bytes()).hexdigest()} - published is "
        "f68b3c2dcbeaaa9fbdd348bbdeb94873 - fetch it from http://yann.lecun.com/exdb/mnist/ "
        "again, or set 'verify: false' if it was changed on purpose"
    )


def test_the_published_checksums_are_what_verifying_compares(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publication, layout = KMNIST
    files = tuple(
        replace(file, md5=md5((folder / file.name).read_bytes()).hexdigest())
        for file in publication.files
    )
    monkeypatch.setattr(mnist, "KMNIST", (replace(publication, files=files), layout))
    assert len(load_kmnist(options(folder, verify=True)).x_train) == 12


TRAIN, LABELS = "train-images-idx3-ubyte", "train-labels-idx1-ubyte"


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        (
            TRAIN,
            idx(pixels(12, 0))[:-5],
            "has 9403 bytes of content - expected 9408 for shape (12, 28, 28); fetch it again",
        ),
        (
            TRAIN,
            idx(pixels(11, 0)),
            "has images of shape (11, 28, 28) - expected (12, 28, 28), one for each label; "
            "fetch it again",
        ),
        (
            TRAIN,
            idx(np.arange(12)),
            "is no IDX file of unsigned bytes in 3 dimensions - fetch it again",
        ),
        (LABELS, b"", "is no IDX file of unsigned bytes in 1 dimensions - fetch it again"),
        (LABELS, idx(np.arange(12)), "has labels from 0 to 11 - expected 0 to 9; fetch it again"),
        (LABELS, gzip.compress(idx(np.arange(9)))[:-9], "is truncated - fetch it again"),
        (
            LABELS,
            gzip.compress(idx(np.arange(9)))[:10] + b"\x07\x00",
            "is damaged (Error -3 while decompressing data: invalid block type) - fetch it again",
        ),
    ],
    ids=["short", "count", "other", "empty", "labels", "truncated", "damaged"],
)
def test_damaged_files_are_refused(name: str, content: bytes, message: str, folder: Path) -> None:
    (folder / name).write_bytes(content)
    assert refusal(folder) == f"data set 'mnist': '{name}' {message}"
