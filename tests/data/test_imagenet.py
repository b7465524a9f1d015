from __future__ import annotations

import io
import tarfile
from collections.abc import Callable
from dataclasses import replace
from hashlib import md5
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.io import savemat

from cilsim.data.image_listing import Counts
from cilsim.data.imagenet import ImageNetOptions, facts_imagenet, load_imagenet
from cilsim.data.imagenet100 import ClassFile, ImageNet100Options, load_imagenet100
from cilsim.data.imagenet_published import PUBLISHED
from cilsim.errors import DataError

Pack = Callable[[Path, dict[str, bytes]], Path]
Photograph = Callable[..., bytes]

SMALL = replace(PUBLISHED, counts=Counts(3, 6, 3))
SYNSETS = ("n01440764", "n01443537", "n01484850")
ID_OF = {"n01440764": 3, "n01443537": 1, "n01484850": 2}
"""ILSVRC numbers its classes in another order than that of their synset ids."""

VALIDATION = ("n01484850", "n01440764", "n01443537")
TRAIN, VAL = "ILSVRC2012_img_train.tar", "ILSVRC2012_img_val.tar"
DEVKIT = "ILSVRC2012_devkit_t12.tar.gz"
INSIDE = "ILSVRC2012_devkit_t12/data"


def tar(files: dict[str, bytes], mode: str = "w:") -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode=mode) as archive:  # type: ignore[call-overload]
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return packed.getvalue()


def meta() -> bytes:
    """Return the classes as the authors wrote them: a structure array, higher classes too."""
    rows = [(number, synset, 0) for synset, number in ID_OF.items()]
    rows.append((1001, "n00001740", 3))
    fields = ("ILSVRC2012_ID", "WNID", "words", "gloss", "num_children")
    synsets = np.empty((len(rows), 1), dtype=[(field, object) for field in fields])
    for place, (number, synset, children) in enumerate(rows):
        numbers = (np.float64([[value]]) for value in (number, children))
        synsets[place, 0] = (next(numbers), synset, "words", "a gloss", next(numbers))
    file = io.BytesIO()
    savemat(file, {"synsets": synsets})
    return file.getvalue()


@pytest.fixture
def train(photograph: Photograph) -> dict[str, dict[str, bytes]]:
    return {
        synset: {f"{synset}_{k}.JPEG": photograph(10 * number + k) for k in (1, 0)}
        for number, synset in enumerate(SYNSETS)
    }


@pytest.fixture
def archives(tmp_path: Path, train: dict[str, dict[str, bytes]], photograph: Photograph) -> Path:
    root = tmp_path / "archives"
    root.mkdir()
    classes = {f"{synset}.tar": tar(files) for synset, files in reversed(train.items())}
    (root / TRAIN).write_bytes(tar(classes))
    images = {f"ILSVRC2012_val_{n:08d}.JPEG": photograph(100 + n) for n in (3, 1, 2)}
    (root / VAL).write_bytes(tar(images))
    write_kit(root, [ID_OF[synset] for synset in VALIDATION])
    return root


def write_kit(root: Path, labels: list[int]) -> None:
    lines = "".join(f"{label}\n" for label in labels).encode()
    files = {"meta.mat": meta(), "ILSVRC2012_validation_ground_truth.txt": lines}
    (root / DEVKIT).write_bytes(
        tar({f"{INSIDE}/{name}": content for name, content in files.items()}, "w:gz")
    )


def unpack(root: Path, train: Any, photograph: Photograph, pack: Pack) -> Path:
    files = {
        f"train/{synset}/{name}": content
        for synset, images in train.items()
        for name, content in images.items()
    }
    for n, synset in enumerate(VALIDATION, 1):
        files[f"val/{synset}/ILSVRC2012_val_{n:08d}.JPEG"] = photograph(100 + n)
    return pack(root, files)


def options(root: Path, **changes: Any) -> ImageNetOptions:
    return ImageNetOptions(**{"root": root, "size": 16, "verify": False, **changes})


def refusal(root: Path, published: Any = SMALL, **changes: Any) -> str:
    with pytest.raises(DataError) as caught:
        load_imagenet(options(root, **changes), published)
    return str(caught.value)


def test_the_archives_are_read_as_they_are_published(archives: Path) -> None:
    dataset = load_imagenet(options(archives), SMALL)
    facts = dataset.facts
    assert facts.class_names == SYNSETS
    assert facts.y_train.tolist() == [0, 0, 1, 1, 2, 2]
    assert facts.y_test.tolist() == [0, 1, 2]
    assert dataset.x_train[:, 0, 0, 0].tolist() == [0, 1, 10, 11, 20, 21]
    assert dataset.x_test[:, 0, 0, 0].tolist() == [102, 103, 101]
    assert (dataset.name, dataset.crop, facts.sample_shape) == ("imagenet", 14, (3, 14, 14))


def test_folders_and_a_mixture_give_what_the_archives_give(
    archives: Path, tmp_path: Path, train: Any, photograph: Photograph, pack: Pack
) -> None:
    expected = load_imagenet(options(archives), SMALL).digest
    folder = unpack(tmp_path / "folders", train, photograph, pack)
    assert load_imagenet(options(folder), SMALL).digest == expected
    (folder / "train").rename(archives / "train")
    (archives / TRAIN).unlink()
    assert load_imagenet(options(archives), SMALL).digest == expected
    assert len(facts_imagenet(options(archives), SMALL).y_train) == 6


def test_imagenet100_takes_its_classes_out_of_the_archives(archives: Path) -> None:
    (archives / "classes.txt").write_text(f"{SYNSETS[2]}\n{SYNSETS[0]}\n")
    classes = ClassFile(file=archives / "classes.txt")
    chosen = ImageNet100Options(root=archives, classes=classes, size=16)
    dataset = load_imagenet100(chosen, 1)
    assert dataset.x_train[:, 0, 0, 0].tolist() == [0, 1, 20, 21]
    assert dataset.x_test[:, 0, 0, 0].tolist() == [102, 101]


def test_names_and_checksums_are_those_of_torchvision() -> None:
    from torchvision.datasets.imagenet import ARCHIVE_META

    ours = [(file.name, file.md5) for file in PUBLISHED.parts]
    assert ours == [ARCHIVE_META[part] for part in ("train", "val", "devkit")]


def test_missing_files_are_named_with_what_to_do(places: Path) -> None:
    with pytest.raises(DataError) as caught:
        facts_imagenet(ImageNetOptions())
    assert str(caught.value) == (
        "data set 'imagenet': neither 'ILSVRC2012_img_train.tar' (147897477120 bytes, md5 "
        "1d675b47d978889d74fa0da5fadfb00e) nor the unpacked folder 'train' is in "
        f"'{places}/data/imagenet' - fetch it from "
        "https://www.image-net.org/challenges/LSVRC/2012/ (with an account) into that folder; the "
        "data set 'glyphs100' needs no download"
    )


def test_the_validation_archive_needs_the_development_kit(archives: Path) -> None:
    (archives / DEVKIT).unlink()
    assert refusal(archives) == (
        "data set 'imagenet': neither 'ILSVRC2012_devkit_t12.tar.gz' (md5 "
        "fa75699e90414af021442c21a62c3abf) nor the unpacked folder 'val' is in "
        f"'{archives}' - fetch it from https://www.image-net.org/challenges/LSVRC/2012/ (with an "
        "account) into that folder; the data set 'glyphs100' needs no download"
    )


def test_another_archive_is_refused(archives: Path) -> None:
    path = archives / TRAIN
    assert refusal(archives, verify=True) == (
        f"data set 'imagenet': '{path}' has md5 {md5(path.read_bytes()).hexdigest()} - published "
        "is 1d675b47d978889d74fa0da5fadfb00e - fetch it from "
        "https://www.image-net.org/challenges/LSVRC/2012/ again, or set 'verify: false' if it was "
        "changed on purpose"
    )


def test_a_damaged_archive_of_a_class_is_named(archives: Path, train: Any) -> None:
    classes = {f"{synset}.tar": tar(files) for synset, files in train.items()}
    classes["n01443537.tar"] = classes["n01443537.tar"][:900]
    (archives / TRAIN).write_bytes(tar(classes))
    assert refusal(archives) == (
        f"data set 'imagenet': '{archives}/{TRAIN}/n01443537.tar' cannot be read: "
        "unexpected end of data - fetch it again if it is damaged"
    )


def test_an_archive_of_a_class_cannot_lead_outside(archives: Path) -> None:
    (archives / TRAIN).write_bytes(tar({"n01440764.tar": tar({"../x.JPEG": b"x"})}))
    assert refusal(archives) == (
        f"data set 'imagenet': '{archives}/{TRAIN}/n01440764.tar' is refused: '../x.JPEG' leads "
        "outside - fetch it again from where it is published"
    )


@pytest.mark.parametrize("name", ["ILSVRC2012_val_00000004.JPEG", "photograph.JPEG"])
def test_validation_images_without_a_class_are_named(archives: Path, name: str) -> None:
    (archives / VAL).write_bytes(tar({name: b"x"}))
    assert refusal(archives) == (
        f"data set 'imagenet': '{archives}/{VAL}' has a file '{name}' - expected images such as "
        "'ILSVRC2012_val_00000001.JPEG', numbered up to 3"
    )


def test_a_development_kit_with_other_classes_is_refused(archives: Path) -> None:
    write_kit(archives, [1, 1001, 2])
    assert refusal(archives) == (
        "data set 'imagenet': 'ILSVRC2012_validation_ground_truth.txt' has '1001' - expected ids "
        "of the classes in 'meta.mat'; fetch 'ILSVRC2012_devkit_t12.tar.gz' again"
    )


def test_a_class_without_validation_images_is_named(
    tmp_path: Path, train: Any, photograph: Photograph, pack: Pack
) -> None:
    folder = unpack(tmp_path / "folders", train, photograph, pack)
    (folder / "val" / SYNSETS[1] / "ILSVRC2012_val_00000003.JPEG").unlink()
    assert refusal(folder) == (
        f"data set 'imagenet': '{folder}' has no images in 'val/{SYNSETS[1]}' - expected the "
        "folder of one of the chosen 'classes'"
    )


def test_the_published_numbers_are_compared(archives: Path) -> None:
    assert refusal(archives, PUBLISHED) == (
        f"data set 'imagenet': '{archives}' has 3 classes - expected 1000; "
        "fetch and unpack it again"
    )
