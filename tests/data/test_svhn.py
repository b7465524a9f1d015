from __future__ import annotations

from dataclasses import replace
from hashlib import md5
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.io import savemat

from cilsim.data import svhn
from cilsim.data.moments import channel_moments
from cilsim.data.svhn import PUBLICATION, SvhnOptions, facts_svhn, load_svhn
from cilsim.errors import DataError

AGAIN = "fetch it again"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Twelve training and three test images in the published format, compressed as it is."""
    save(tmp_path / "train_32x32.mat", [*range(1, 11), 10, 3], 0)
    save(tmp_path / "test_32x32.mat", [10, 1, 9], 1)
    return tmp_path


def pixels(count: int, seed: int) -> Any:
    return np.random.default_rng(seed).integers(0, 256, (32, 32, 3, count), dtype=np.uint8)


def save(path: Path, labels: Any, seed: int) -> None:
    y = np.array(labels, dtype=np.uint8).reshape(-1, 1)
    savemat(path, {"X": pixels(len(labels), seed), "y": y}, do_compression=True)


def refusal(root: Path, **changes: Any) -> str:
    with pytest.raises(DataError) as caught:
        load_svhn(SvhnOptions(root=root, **{"verify": False, **changes}))
    return str(caught.value)


def test_digits_are_class_ids_and_images_keep_their_order(folder: Path) -> None:
    dataset = load_svhn(SvhnOptions(root=folder, verify=False))
    assert dataset.facts.y_train.tolist() == [1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 0, 3]
    assert dataset.facts.y_test.tolist() == [0, 1, 9]
    assert dataset.facts.class_names == tuple("0123456789")
    assert dataset.x_train.shape == (12, 3, 32, 32)
    stored = pixels(12, 0)
    assert dataset.x_train[7, 2, 5, 30] == stored[5, 30, 2, 7]
    assert np.array_equal(dataset.x_test, pixels(3, 1).transpose(3, 2, 0, 1))
    assert (dataset.mean, dataset.std) == channel_moments(np.asarray(dataset.x_train, np.uint8))


def test_facts_are_those_of_the_data_set(folder: Path) -> None:
    facts = facts_svhn(SvhnOptions(root=folder))
    loaded = load_svhn(SvhnOptions(root=folder, verify=False)).facts
    assert facts.y_train.tolist() == loaded.y_train.tolist()
    assert facts.y_test.tolist() == loaded.y_test.tolist()
    assert (facts.class_ids, facts.sample_shape) == (tuple(range(10)), (3, 32, 32))


def test_published_names_checksums_and_addresses_are_those_of_torchvision() -> None:
    from torchvision.datasets import SVHN

    ours = [[file.addresses[0], file.name, file.md5] for file in PUBLICATION.files]
    assert ours == [SVHN.split_list["train"], SVHN.split_list["test"]]


@pytest.mark.parametrize("use", [load_svhn, facts_svhn])
def test_a_missing_file_is_named_with_command_and_place(use: Any, places: Path) -> None:
    with pytest.raises(DataError) as caught:
        use(SvhnOptions())
    assert str(caught.value) == (
        "data set 'svhn': 'train_32x32.mat' (182040794 bytes, md5 "
        f"e26dedcc434d2e4c54c9b2d4a06d8373) is not in '{places}/data/svhn' - fetch it with "
        "'cilsim data fetch svhn' or from http://ufldl.stanford.edu/housenumbers/ into that "
        "folder; the data set 'glyphs100' needs no download"
    )


def test_a_file_that_is_not_the_published_one_is_refused(folder: Path) -> None:
    path = folder / "train_32x32.mat"
    assert refusal(folder, verify=True) == (
        f"data set 'svhn': '{path}' has md5 {md5(path.read_bytes()).hexdigest()} - published is "
        "e26dedcc434d2e4c54c9b2d4a06d8373 - fetch it from "
        "http://ufldl.stanford.edu/housenumbers/ again, or set 'verify: false' if it was changed "
        "on purpose"
    )


def test_the_published_checksum_is_what_verifying_compares(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = tuple(
        replace(file, md5=md5((folder / file.name).read_bytes()).hexdigest())
        for file in PUBLICATION.files
    )
    monkeypatch.setattr(svhn, "PUBLICATION", replace(PUBLICATION, files=files))
    assert len(load_svhn(SvhnOptions(root=folder)).x_train) == 12


@pytest.mark.parametrize(
    ("kept", "message"),
    [
        (2000, "has no variable 'y'"),
        (
            -5,
            "is no MATLAB file that can be read (Did not fully consume compressed contents of an "
            "miCOMPRESSED element)",
        ),
    ],
)
def test_a_truncated_file_is_refused(kept: int, message: str, folder: Path) -> None:
    path = folder / "train_32x32.mat"
    path.write_bytes(path.read_bytes()[:kept])
    assert refusal(folder) == f"data set 'svhn': 'train_32x32.mat' {message} - {AGAIN}"


@pytest.mark.parametrize("content", [b"", b"<html>moved</html>", b"MATLAB 5.0" + bytes(200)])
def test_something_else_is_refused(content: bytes, folder: Path) -> None:
    (folder / "test_32x32.mat").write_bytes(content)
    found = refusal(folder)
    assert found.startswith("data set 'svhn': 'test_32x32.mat' ")
    assert found.endswith(f" - {AGAIN}")
    assert "\n" not in found


@pytest.mark.parametrize(
    ("stored", "message"),
    [
        (
            {"y": np.array([[1], [11]], dtype=np.uint8)},
            "has labels 'y' that are not whole numbers from 1 to 10",
        ),
        ({"y": np.array([[1.5]])}, "has labels 'y' that are not whole numbers from 1 to 10"),
        ({"X": pixels(2, 0)}, "has no variable 'y'"),
    ],
    ids=["eleven", "fraction", "missing"],
)
def test_wrong_labels_are_refused(stored: Any, message: str, folder: Path) -> None:
    savemat(folder / "train_32x32.mat", stored)
    assert refusal(folder) == f"data set 'svhn': 'train_32x32.mat' {message} - {AGAIN}"


@pytest.mark.parametrize(
    ("images", "found"),
    [
        (pixels(3, 0), "(32, 32, 3, 3) and type uint8"),
        (pixels(2, 0)[:16], "(16, 32, 3, 2) and type uint8"),
        (pixels(2, 0).astype(float), "(32, 32, 3, 2) and type float64"),
    ],
    ids=["count", "size", "type"],
)
def test_images_of_another_shape_are_refused(images: Any, found: str, folder: Path) -> None:
    savemat(folder / "train_32x32.mat", {"X": images, "y": np.array([[1], [2]], dtype=np.uint8)})
    assert refusal(folder) == (
        f"data set 'svhn': 'train_32x32.mat' has images 'X' of shape {found} - expected "
        f"(32, 32, 3, 2) and uint8; {AGAIN}"
    )
