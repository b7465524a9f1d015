from __future__ import annotations

import runpy
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cilsim.data.imagenet100 import (
    TEST_PER_CLASS,
    ClassFile,
    ImageNet100Options,
    facts_imagenet100,
    load_imagenet100,
)
from cilsim.data.imagenet100_published import FIRST_100_OF_1993_ORDER, GCD
from cilsim.errors import DataError

Pack = Callable[[Path, dict[str, bytes]], Path]
Photograph = Callable[..., bytes]

ALL = ("n01440764", "n01443537", "n01484850")


@pytest.fixture
def root(tmp_path: Path, photograph: Photograph, pack: Pack) -> Path:
    """Three classes of two training images and one for validation."""
    files = {}
    for number, synset in enumerate(ALL):
        for k in (1, 0):
            files[f"train/{synset}/{synset}_{k}.JPEG"] = photograph(10 * number + k)
        files[f"val/{synset}/ILSVRC2012_val_{number}.JPEG"] = photograph(100 + number)
    return pack(tmp_path / "imagenet", files)


@pytest.fixture
def two_classes(tmp_path: Path) -> ClassFile:
    path = tmp_path / "classes.txt"
    path.write_text(f"# mine\n{ALL[2]}  # a shark\n\n{ALL[1]}\n")
    return ClassFile(file=path)


def options(root: Path, **changes: Any) -> ImageNet100Options:
    return ImageNet100Options(**{"root": root, "size": 16, **changes})


def refusal(root: Path, test_per_class: int = 1, **changes: Any) -> str:
    with pytest.raises(DataError) as caught:
        load_imagenet100(options(root, **changes), test_per_class)
    return str(caught.value)


def test_chosen_classes_are_taken_in_order_of_their_synsets(
    root: Path, two_classes: ClassFile
) -> None:
    dataset = load_imagenet100(options(root, classes=two_classes), 1)
    assert dataset.facts.class_names == (ALL[1], ALL[2])
    assert dataset.facts.y_train.tolist() == [0, 0, 1, 1]
    assert dataset.x_train[:, 0, 0, 0].tolist() == [10, 11, 20, 21]
    assert dataset.x_test[:, 0, 0, 0].tolist() == [101, 102]
    assert (dataset.name, dataset.crop, dataset.facts.sample_shape) == (
        "imagenet100",
        14,
        (3, 14, 14),
    )


def test_the_published_size_is_256_with_a_crop_of_224(root: Path, two_classes: ClassFile) -> None:
    chosen = ImageNet100Options(root=root, classes=two_classes)
    assert facts_imagenet100(chosen, 1).sample_shape == (3, 224, 224)
    assert TEST_PER_CLASS == 50


@pytest.mark.parametrize(
    ("classes", "synsets"), [("gcd", GCD), ("first_100_of_1993_order", FIRST_100_OF_1993_ORDER)]
)
def test_published_classes_are_found_among_others(
    classes: Any, synsets: tuple[str, ...], tmp_path: Path, pack: Pack
) -> None:
    wanted = {f"{part}/{s}/x.JPEG": b"" for part in ("train", "val") for s in (*synsets, *ALL)}
    root = pack(tmp_path / "imagenet", wanted)
    facts = facts_imagenet100(options(root, classes=classes), 1)
    assert facts.class_names == synsets
    assert facts.y_train.tolist() == list(range(100))


def test_published_classes_are_the_published_draws() -> None:
    package = find_spec("avalanche")  # found without its import, which takes long
    if package is None or package.origin is None:
        pytest.skip("avalanche has the list of the 1000 classes")
    module = Path(package.origin).parent / "benchmarks" / "datasets" / "imagenet_data.py"
    synsets = np.array(runpy.run_path(str(module))["IMAGENET_TORCHVISION_WNIDS"])
    gcd = np.sort(np.random.RandomState(0).choice(1000, 100, replace=False))
    assert tuple(synsets[gcd].tolist()) == GCD
    first = np.sort(np.random.RandomState(1993).permutation(1000)[:100])
    assert tuple(synsets[first].tolist()) == FIRST_100_OF_1993_ORDER


@pytest.mark.parametrize("use", [load_imagenet100, facts_imagenet100])
def test_a_missing_folder_is_named_with_page_and_place(use: Any, places: Path) -> None:
    with pytest.raises(DataError) as caught:
        use(ImageNet100Options())
    assert str(caught.value) == (
        "data set 'imagenet100': neither 'ILSVRC2012_img_train.tar' (147897477120 bytes, md5 "
        "1d675b47d978889d74fa0da5fadfb00e) nor the unpacked folder 'train' is in "
        f"'{places}/data/imagenet100' - fetch it from "
        "https://www.image-net.org/challenges/LSVRC/2012/ (with an account) into that folder; "
        "the data set 'glyphs100' needs no download"
    )


def test_a_chosen_class_that_is_not_there_is_named(root: Path) -> None:
    assert refusal(root) == (
        f"data set 'imagenet100': '{root}' has no images in 'train/n01537544' - expected the "
        "folder of one of the chosen 'classes'"
    )


def test_a_wrong_number_of_validation_images_is_refused(root: Path, two_classes: ClassFile) -> None:
    assert refusal(root, TEST_PER_CLASS, classes=two_classes) == (
        f"data set 'imagenet100': '{root}' has 2 test images - expected 100; "
        "fetch and unpack it again"
    )


def test_a_broken_photograph_is_named(root: Path, two_classes: ClassFile) -> None:
    (root / "val" / ALL[1] / "ILSVRC2012_val_1.JPEG").write_bytes(b"no image")
    assert refusal(root, classes=two_classes) == (
        f"data set 'imagenet100': 1 file is no readable image in '{root}': "
        f"'val/{ALL[1]}/ILSVRC2012_val_1.JPEG' - fetch and unpack it again"
    )


def test_a_list_of_classes_that_is_not_there_is_named(root: Path, tmp_path: Path) -> None:
    assert refusal(root, classes=ClassFile(file=tmp_path / "none.txt")) == (
        f"data set 'imagenet100': the classes '{tmp_path}/none.txt' cannot be read: No such file "
        "or directory - expected a text file with one synset id per line"
    )


def test_a_list_of_something_else_is_refused(root: Path, tmp_path: Path) -> None:
    (tmp_path / "classes.txt").write_text("1\n14\n")
    assert refusal(root, classes=ClassFile(file=tmp_path / "classes.txt")) == (
        f"data set 'imagenet100': '{tmp_path}/classes.txt' has '1' - expected synset ids such as "
        "'n01440764'"
    )
