from __future__ import annotations

import gzip
from collections.abc import Callable
from hashlib import md5
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cilsim.data.emnist import (
    ARCHIVE,
    CLASS_NAMES,
    EmnistOptions,
    facts_emnist,
    load_emnist,
)
from cilsim.errors import DataError

Pack = Callable[[Path, dict[str, bytes]], Path]


def idx(array: Any) -> bytes:
    sizes = b"".join(size.to_bytes(4, "big") for size in array.shape)
    return gzip.compress(bytes((0, 0, 8, array.ndim)) + sizes + array.astype(np.uint8).tobytes())


def pixels(count: int) -> Any:
    return np.random.default_rng(count).integers(0, 256, (count, 28, 28), dtype=np.uint8)


def files(split: str, labels: list[int]) -> dict[str, bytes]:
    return {
        f"emnist-{split}-{part}-{kind}-ubyte.gz": idx(content)
        for part, count in (("train", len(labels)), ("test", 2))
        for kind, content in (
            ("images-idx3", pixels(count)),
            ("labels-idx1", np.array(labels[:count])),
        )
    }


@pytest.fixture
def archive(tmp_path: Path, pack: Pack) -> Path:
    content = files("letters", [1, 26, 3]) | files("balanced", [0, 46, 36, 10])
    return pack(tmp_path / "gzip.zip", {f"gzip/{name}": data for name, data in content.items()})


def options(path: Path, **changes: Any) -> EmnistOptions:
    return EmnistOptions(root=path.parent, **{"verify": False, **changes})


def test_images_are_turned_upright_and_letters_begin_at_a(archive: Path) -> None:
    dataset = load_emnist(options(archive, split="letters"))
    assert dataset.facts.y_train.tolist() == [0, 25, 2]
    assert (dataset.facts.class_names[0], len(dataset.facts.class_names)) == ("a", 26)
    assert dataset.x_train[1, 0, 5, 20] == pixels(3)[1, 20, 5]
    assert dataset.facts.sample_shape == (1, 28, 28)


def test_facts_and_the_unpacked_folder_agree_with_the_archive(
    archive: Path, tmp_path: Path, pack: Pack
) -> None:
    facts = facts_emnist(options(archive))
    assert [facts.class_names[label] for label in facts.y_train] == ["0", "t", "a", "A"]
    loaded = load_emnist(options(archive))
    folder = pack(tmp_path / "b" / "gzip", files("balanced", [0, 46, 36, 10]))
    assert load_emnist(options(folder)).digest == loaded.digest
    assert loaded.facts.y_train.tolist() == facts.y_train.tolist()


def test_address_checksum_and_classes_are_those_of_torchvision() -> None:
    from torchvision.datasets import EMNIST

    assert (ARCHIVE.addresses, ARCHIVE.md5) == ((EMNIST.url,), EMNIST.md5)
    for split, names in CLASS_NAMES.items():
        theirs = [name for name in EMNIST.classes_split_dict[split] if name != "N/A"]
        assert list(names) == theirs


def test_another_archive_is_refused(archive: Path) -> None:
    found = md5(archive.read_bytes()).hexdigest()
    with pytest.raises(DataError) as caught:
        load_emnist(options(archive, verify=True))
    assert str(caught.value) == (
        f"data set 'emnist': '{archive}' has md5 {found} - published is "
        "58c8d27c78d21e728a6bc7b3cc06412e - fetch it from "
        "https://www.nist.gov/itl/products-and-services/emnist-dataset again, or set "
        "'verify: false' if it was changed on purpose"
    )


def test_a_missing_member_and_a_truncated_archive_are_named(archive: Path) -> None:
    with pytest.raises(DataError) as caught:
        facts_emnist(options(archive, split="digits"))
    assert str(caught.value) == (
        f"data set 'emnist': '{archive}' has no file 'emnist-digits-train-labels-idx1-ubyte.gz', "
        "'emnist-digits-test-labels-idx1-ubyte.gz' - fetch and unpack it again"
    )
    archive.write_bytes(archive.read_bytes()[:-30])
    with pytest.raises(DataError) as caught:
        facts_emnist(options(archive))
    assert str(caught.value) == (
        f"data set 'emnist': '{archive}' cannot be read: invalid header - "
        "fetch it again if it is damaged"
    )


def test_missing_files_are_named_with_command_and_place(places: Path) -> None:
    with pytest.raises(DataError) as caught:
        facts_emnist(EmnistOptions())
    assert str(caught.value) == (
        "data set 'emnist': neither 'gzip.zip' (561753746 bytes, md5 "
        "58c8d27c78d21e728a6bc7b3cc06412e) nor the unpacked folder 'gzip' is in "
        f"'{places}/data/emnist' - fetch it with 'cilsim data fetch emnist' or from "
        "https://www.nist.gov/itl/products-and-services/emnist-dataset into that folder; the data "
        "set 'glyphs100' needs no download"
    )
