from __future__ import annotations

import os
import pickle
from collections.abc import Callable
from hashlib import md5
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cilsim.data.cifar import (
    CifarOptions,
    facts_cifar10,
    facts_cifar100,
    load_cifar10,
    load_cifar100,
)
from cilsim.errors import DataError

Files = Callable[[str], dict[str, bytes]]
WriteFolder = Callable[[Path, dict[str, bytes]], None]
WriteArchive = Callable[[Path, str, dict[str, bytes]], None]


def refusal(root: Path) -> str:
    with pytest.raises(DataError) as caught:
        load_cifar100(CifarOptions(root=root, verify=False))
    return str(caught.value)


def pixels(seed: int, rows: int) -> list[Any]:
    flat = np.random.default_rng(seed).integers(0, 256, (rows, 3072), dtype=np.uint8)
    return flat.reshape(rows, 3, 32, 32).tolist()


def test_cifar100_is_read_from_its_folder_in_the_order_of_the_files(
    places: Path, cifar_files: Files, write_folder: WriteFolder
) -> None:
    write_folder(places / "data" / "cifar100" / "cifar-100-python", cifar_files("cifar100"))
    dataset = load_cifar100(CifarOptions(verify=False))
    assert dataset.x_train.tolist() == pixels(0, 200)
    assert dataset.x_test.tolist() == pixels(9, 100)
    assert dataset.facts.y_train.tolist() == [*range(99, -1, -1), *range(100)]
    assert dataset.facts.y_test.tolist() == list(range(100))
    assert dataset.facts.class_ids == tuple(range(100))
    assert dataset.facts.class_names[:2] == ("class 0", "class 1")
    assert dataset.facts.sample_shape == (3, 32, 32)
    assert dataset.mean == (0.5071, 0.4867, 0.4408)
    assert dataset.std == (0.2675, 0.2565, 0.2761)


def test_cifar10_joins_its_five_files(
    tmp_path: Path, cifar_files: Files, write_folder: WriteFolder
) -> None:
    write_folder(tmp_path / "cifar-10-batches-py", cifar_files("cifar10"))
    dataset = load_cifar10(CifarOptions(root=tmp_path, verify=False))
    assert dataset.facts.y_train.tolist() == [
        (3 * number + k) % 10 for number in range(1, 6) for k in range(4)
    ]
    assert dataset.x_train.tolist() == [row for seed in range(1, 6) for row in pixels(seed, 4)]
    assert len(dataset.facts.class_names) == 10
    assert (dataset.name, dataset.mean, dataset.std) == (
        "cifar10",
        (0.4914, 0.4822, 0.4465),
        (0.247, 0.2435, 0.2616),
    )


@pytest.mark.parametrize(
    ("name", "inside", "load", "facts"),
    [
        ("cifar10", "cifar-10-batches-py", load_cifar10, facts_cifar10),
        ("cifar100", "cifar-100-python", load_cifar100, facts_cifar100),
    ],
)
def test_the_archive_is_read_like_the_folder_and_facts_agree(
    name: str,
    inside: str,
    load: Any,
    facts: Any,
    tmp_path: Path,
    cifar_files: Files,
    write_folder: WriteFolder,
    write_archive: WriteArchive,
) -> None:
    archive = "cifar-10-python.tar.gz" if name == "cifar10" else "cifar-100-python.tar.gz"
    write_folder(tmp_path / "a" / inside, cifar_files(name))
    write_archive(tmp_path / "b" / archive, inside, cifar_files(name))
    one = load(CifarOptions(root=tmp_path / "a", verify=False))
    two = load(CifarOptions(root=tmp_path / "b", verify=False))
    known = facts(CifarOptions(root=tmp_path / "b"))
    assert one.digest == two.digest
    assert known.y_train.tolist() == one.facts.y_train.tolist()
    assert known.y_test.tolist() == one.facts.y_test.tolist()
    assert known.class_names == one.facts.class_names
    assert [path.name for path in (tmp_path / "b").iterdir()] == [archive]


@pytest.mark.parametrize("use", [load_cifar100, facts_cifar100])
def test_missing_files_are_named_with_size_checksum_place_and_way_out(
    use: Any, places: Path
) -> None:
    with pytest.raises(DataError) as caught:
        use(CifarOptions())
    assert str(caught.value) == (
        "data set 'cifar100': neither 'cifar-100-python.tar.gz' (169001437 bytes, "
        "md5 eb9058c3a382ffc7106e4002c42a8d85) nor the unpacked folder 'cifar-100-python' is in "
        f"'{places}/data/cifar100' - "
        "fetch it with 'cilsim data fetch cifar100' or from "
        "https://www.cs.toronto.edu/~kriz/cifar-100-python.tar.gz into that folder; "
        "the data set 'glyphs100' needs no download"
    )


def test_the_same_for_cifar10(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        load_cifar10(CifarOptions(root=tmp_path))
    assert str(caught.value) == (
        "data set 'cifar10': neither 'cifar-10-python.tar.gz' (170498071 bytes, "
        "md5 c58f30108f718f92721af3b95e74349a) nor the unpacked folder 'cifar-10-batches-py' is in "
        f"'{tmp_path}' - fetch it with 'cilsim data fetch cifar10 --root {tmp_path}' or from "
        "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz into that "
        "folder; the data set 'glyphs100' needs no download"
    )


def test_published_checksums_are_those_of_torchvision() -> None:
    from torchvision import datasets

    from cilsim.data.cifar_published import CIFAR10, CIFAR100

    for ours, theirs in ((CIFAR10, datasets.CIFAR10), (CIFAR100, datasets.CIFAR100)):
        listed = [*theirs.train_list, *theirs.test_list]
        assert ours.file_md5 == {**dict(listed), theirs.meta["filename"]: theirs.meta["md5"]}
        assert (ours.archive_md5, ours.archive) == (theirs.tgz_md5, theirs.filename)
        assert (ours.address, ours.folder) == (theirs.url, theirs.base_folder)
        assert ours.train_files == tuple(name for name, _ in theirs.train_list)
        assert (ours.meta_file, ours.names_key) == (theirs.meta["filename"], theirs.meta["key"])


def test_a_file_that_differs_from_the_published_one_is_refused(
    tmp_path: Path, cifar_files: Files, write_folder: WriteFolder
) -> None:
    files = cifar_files("cifar100")
    write_folder(tmp_path / "cifar-100-python", files)
    with pytest.raises(DataError) as caught:
        load_cifar100(CifarOptions(root=tmp_path))
    assert str(caught.value) == (
        f"data set 'cifar100': 'train' has md5 {md5(files['train']).hexdigest()} - published is "
        "16019d7e3df5f24257cddd939b257f8d - fetch "
        "https://www.cs.toronto.edu/~kriz/cifar-100-python.tar.gz again, or set 'verify: false' "
        "if it was changed on purpose"
    )


def test_a_pickle_that_would_run_something_is_refused(
    tmp_path: Path, cifar_files: Files, write_folder: WriteFolder
) -> None:
    class Evil:
        def __reduce__(self) -> tuple[Any, tuple[str]]:
            return os.mkdir, (str(tmp_path / "trace"),)

    files = {**cifar_files("cifar100"), "train": pickle.dumps({"data": Evil()})}
    write_folder(tmp_path / "cifar-100-python", files)
    assert refusal(tmp_path) == (
        "data set 'cifar100': 'train' is refused: it refers to 'posix.mkdir' - "
        "expected a dictionary of numbers, texts and arrays of unsigned bytes"
    )
    assert not (tmp_path / "trace").exists()


def test_a_missing_file_of_the_folder_is_named(
    tmp_path: Path, cifar_files: Files, write_folder: WriteFolder
) -> None:
    files = cifar_files("cifar100")
    write_folder(tmp_path / "cifar-100-python", {"train": files["train"]})
    assert refusal(tmp_path) == (
        f"data set 'cifar100': '{tmp_path}/cifar-100-python' has no file 'test', 'meta' - "
        "fetch and unpack it again"
    )


def test_a_damaged_archive_is_one_clear_line(
    tmp_path: Path, cifar_files: Files, write_archive: WriteArchive
) -> None:
    archive = tmp_path / "cifar-100-python.tar.gz"
    write_archive(archive, "cifar-100-python", cifar_files("cifar100"))
    archive.write_bytes(archive.read_bytes()[:5000])
    assert refusal(tmp_path) == (
        f"data set 'cifar100': '{archive}' cannot be read: Compressed file ended before the "
        "end-of-stream marker was reached - fetch it again if it is damaged"
    )


@pytest.mark.parametrize(
    ("batch", "complaint"),
    [
        (
            {"fine_labels": [1]},
            "'data' of shape None and 1 'fine_labels' - expected shape (N, 3072) and N of them",
        ),
        (
            {"data": np.zeros((2, 3072), np.uint8), "fine_labels": [1]},
            "'data' of shape (2, 3072) and 1 'fine_labels' - "
            "expected shape (N, 3072) and N of them",
        ),
        (
            {"data": np.zeros((1, 3072), np.uint8)},
            "'data' of shape (1, 3072) and None 'fine_labels' - "
            "expected shape (N, 3072) and N of them",
        ),
        (
            {"data": np.zeros((1, 3072), np.uint8), "fine_labels": [100]},
            "'fine_labels' that are not integers from 0 to 99",
        ),
    ],
    ids=["no images", "unequal", "no labels", "label out of range"],
)
def test_a_batch_of_another_form_is_refused(
    batch: dict[str, Any],
    complaint: str,
    tmp_path: Path,
    cifar_files: Files,
    write_folder: WriteFolder,
    python2_pickle: Callable[[Any], bytes],
) -> None:
    files = {**cifar_files("cifar100"), "train": python2_pickle(batch)}
    write_folder(tmp_path / "cifar-100-python", files)
    assert refusal(tmp_path) == f"data set 'cifar100': 'train' has {complaint}"


def test_a_meta_file_without_names_is_refused(
    tmp_path: Path,
    cifar_files: Files,
    write_folder: WriteFolder,
    python2_pickle: Callable[[Any], bytes],
) -> None:
    files = {**cifar_files("cifar100"), "meta": python2_pickle({"names": ["a"]})}
    write_folder(tmp_path / "cifar-100-python", files)
    assert refusal(tmp_path) == "data set 'cifar100': 'meta' has no list 'fine_label_names'"
