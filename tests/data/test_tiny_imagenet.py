from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cilsim.data.image_listing import Counts
from cilsim.data.tiny_imagenet import (
    PUBLISHED,
    TinyImageNetOptions,
    facts_tiny_imagenet,
    load_tiny_imagenet,
)
from cilsim.errors import DataError

Pack = Callable[[Path, dict[str, bytes]], Path]
Photograph = Callable[..., bytes]
Files = dict[str, bytes]

SMALL = replace(PUBLISHED, counts=Counts(2, 6, 3))
FIRST, SECOND = "n01443537", "n02124075"


@pytest.fixture
def files(photograph: Photograph) -> Files:
    """Two classes of three training images, whose names sort as texts, and three for testing."""
    images = {
        f"train/{synset}/images/{synset}_{number}.JPEG": photograph(grey + number, (16, 16))
        for synset, grey in ((SECOND, 100), (FIRST, 0))
        for number in (0, 2, 10)
    }
    boxes = {f"train/{synset}/{synset}_boxes.txt": b"" for synset in (FIRST, SECOND)}
    rows = [("val_0.JPEG", SECOND), ("val_1.JPEG", FIRST), ("val_2.JPEG", SECOND)]
    annotations = "".join(f"{name}\t{synset}\t0\t32\t44\t62\n" for name, synset in rows)
    test = {f"val/images/{name}": photograph(200 + k, (16, 16)) for k, (name, _) in enumerate(rows)}
    unused = {"test/images/test_0.JPEG": photograph(255), "words.txt": b"n1\tword\n"}
    texts = {
        "wnids.txt": f"{SECOND}\n{FIRST}\n".encode(),
        "val/val_annotations.txt": annotations.encode(),
    }
    return {**texts, **images, **boxes, **test, **unused}


def options(root: Path, **changes: Any) -> TinyImageNetOptions:
    return TinyImageNetOptions(**{"root": root, "size": 16, "verify": False, **changes})


def refusal(root: Path) -> str:
    with pytest.raises(DataError) as caught:
        load_tiny_imagenet(options(root), SMALL)
    return str(caught.value)


def test_classes_are_sorted_and_the_validation_part_is_for_testing(
    tmp_path: Path, files: Files, pack: Pack
) -> None:
    pack(tmp_path / "tiny-imagenet-200", files)
    dataset = load_tiny_imagenet(options(tmp_path), SMALL)
    assert dataset.facts.class_names == (FIRST, SECOND)
    assert dataset.facts.y_train.tolist() == [0, 0, 0, 1, 1, 1]
    assert dataset.x_train[:, 0, 0, 0].tolist() == [0, 10, 2, 100, 110, 102]
    assert dataset.facts.y_test.tolist() == [1, 0, 1]
    assert dataset.x_test[:, 0, 0, 0].tolist() == [200, 201, 202]
    assert (dataset.name, dataset.crop) == ("tiny_imagenet", None)
    assert dataset.facts.sample_shape == (3, 16, 16)
    assert dataset.mean == (0.4802, 0.4481, 0.3975)
    assert dataset.std == (0.2302, 0.2265, 0.2262)


def test_the_archive_gives_what_the_folder_gives(tmp_path: Path, files: Files, pack: Pack) -> None:
    pack(tmp_path / "a" / "tiny-imagenet-200", files)
    inside = {f"tiny-imagenet-200/{name}": content for name, content in files.items()}
    pack(tmp_path / "b" / "tiny-imagenet-200.zip", inside)
    one = load_tiny_imagenet(options(tmp_path / "a"), SMALL)
    two = load_tiny_imagenet(options(tmp_path / "b"), SMALL)
    assert one.digest == two.digest
    facts = facts_tiny_imagenet(options(tmp_path / "b"), SMALL)
    assert facts.y_train.tolist() == [0, 0, 0, 1, 1, 1]


def test_the_published_size_is_64(tmp_path: Path, files: Files, pack: Pack) -> None:
    pack(tmp_path / "tiny-imagenet-200", files)
    facts = facts_tiny_imagenet(TinyImageNetOptions(root=tmp_path), SMALL)
    assert facts.sample_shape == (3, 64, 64)


@pytest.mark.parametrize("use", [load_tiny_imagenet, facts_tiny_imagenet])
def test_missing_files_are_named_with_size_checksum_page_and_place(use: Any, places: Path) -> None:
    with pytest.raises(DataError) as caught:
        use(TinyImageNetOptions())
    assert str(caught.value) == (
        "data set 'tiny_imagenet': neither 'tiny-imagenet-200.zip' (248100043 bytes, "
        "md5 90528d7ca1a48142e341f4ef8d21d0de) nor the unpacked folder 'tiny-imagenet-200' is in "
        f"'{places}/data/tiny_imagenet' - fetch it with 'cilsim data fetch tiny_imagenet' or from "
        "http://cs231n.stanford.edu/tiny-imagenet-200.zip into that folder; "
        "the data set 'glyphs100' needs no download"
    )


def test_the_published_numbers_are_500_and_50_of_each_class() -> None:
    assert PUBLISHED.counts == Counts(classes=200, train=200 * 500, test=200 * 50)


def test_a_training_image_that_is_missing_changes_the_number(
    tmp_path: Path, files: Files, pack: Pack
) -> None:
    folder = pack(tmp_path / "tiny-imagenet-200", files)
    (folder / "train" / FIRST / "images" / f"{FIRST}_2.JPEG").unlink()
    assert refusal(tmp_path) == (
        f"data set 'tiny_imagenet': '{folder}' has 5 training images - expected 6; "
        "fetch and unpack it again"
    )


@pytest.mark.parametrize(
    ("name", "written", "message"),
    [
        (
            "wnids.txt",
            "goldfish\n",
            "'wnids.txt' has 'goldfish' - expected synset ids such as 'n01440764'",
        ),
        (
            "wnids.txt",
            f"{FIRST}\n{FIRST}\n",
            f"'wnids.txt' has '{FIRST}' twice - expected each class once",
        ),
        (
            "wnids.txt",
            f"{FIRST}\n",
            f"'val/val_annotations.txt' has the class '{SECOND}' - "
            "expected only those of 'wnids.txt'",
        ),
        (
            "val/val_annotations.txt",
            "val_0.JPEG n01443537\n",
            "'val/val_annotations.txt' line 1: found 'val_0.JPEG n01443537' - "
            "expected '<image>\\t<class>'",
        ),
    ],
    ids=["synset", "twice", "class", "column"],
)
def test_lists_that_make_no_sense_are_refused(
    name: str, written: str, message: str, tmp_path: Path, files: Files, pack: Pack
) -> None:
    pack(tmp_path / "tiny-imagenet-200", {**files, name: written.encode()})
    assert refusal(tmp_path) == f"data set 'tiny_imagenet': {message}"
