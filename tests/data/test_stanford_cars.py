from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from hashlib import md5
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.io import savemat

from cilsim.data.image_listing import Counts
from cilsim.data.stanford_cars import (
    PUBLISHED,
    StanfordCarsOptions,
    facts_stanford_cars,
    load_stanford_cars,
)
from cilsim.errors import DataError

Pack = Callable[[Path, dict[str, bytes]], Path]
Photograph = Callable[..., bytes]
Files = dict[str, bytes]

SMALL = replace(PUBLISHED, counts=Counts(3, 4, 2))
NAMES = ("AM General Hummer SUV 2000", "Acura RL Sedan 2012", "Acura TL Sedan 2012")
TRAIN = {"00001.jpg": 3, "00002.jpg": 1, "00003.jpg": 2, "00004.jpg": 1}
TEST = {"00001.jpg": 2, "00002.jpg": 3}


def mat(**variables: Any) -> bytes:
    file = io.BytesIO()
    savemat(file, variables)
    return file.getvalue()


def annotations(images: dict[str, int]) -> bytes:
    """Return annotations as the authors wrote them: a structure array of 1 x N."""
    fields = ("bbox_x1", "bbox_y1", "bbox_x2", "bbox_y2", "class", "fname")
    stored = np.empty((1, len(images)), dtype=[(field, object) for field in fields])
    for place, (name, label) in enumerate(images.items()):
        box = (np.uint8([[k]]) for k in (1, 2, 3, 4))
        stored[0, place] = (*box, np.uint8([[label]]), name)
    return mat(annotations=stored)


@pytest.fixture
def files(photograph: Photograph) -> Files:
    names = np.empty((1, len(NAMES)), dtype=object)
    names[0] = NAMES
    return {
        "cars_train/00001.jpg": photograph(10),
        "cars_train/00002.jpg": photograph(20),
        "cars_train/00003.jpg": photograph(30),
        "cars_train/00004.jpg": photograph(40),
        "cars_test/00001.jpg": photograph(50),
        "cars_test/00002.jpg": photograph(60),
        "devkit/cars_meta.mat": mat(class_names=names),
        "devkit/cars_train_annos.mat": annotations(TRAIN),
        "cars_test_annos_withlabels.mat": annotations(TEST),
    }


@pytest.fixture
def unpacked(tmp_path: Path, files: Files, pack: Pack) -> Path:
    pack(tmp_path / "stanford_cars", files)
    return tmp_path


def archived(root: Path, files: Files, pack: Pack) -> Path:
    for folder, archive in (
        ("cars_train", "cars_train.tgz"),
        ("cars_test", "cars_test.tgz"),
        ("devkit", "car_devkit.tgz"),
    ):
        inside = {name: data for name, data in files.items() if name.startswith(f"{folder}/")}
        pack(root / archive, inside)
    (root / "cars_test_annos_withlabels.mat").write_bytes(files["cars_test_annos_withlabels.mat"])
    return root


def options(root: Path, **changes: Any) -> StanfordCarsOptions:
    return StanfordCarsOptions(**{"root": root, "size": 16, "verify": False, **changes})


def refusal(root: Path, published: Any = SMALL, **changes: Any) -> str:
    with pytest.raises(DataError) as caught:
        load_stanford_cars(options(root, **changes), published)
    return str(caught.value)


def test_images_are_in_the_order_of_the_annotations(unpacked: Path) -> None:
    dataset = load_stanford_cars(options(unpacked), SMALL)
    facts = dataset.facts
    assert facts.class_names == NAMES
    assert facts.y_train.tolist() == [2, 0, 1, 0]
    assert facts.y_test.tolist() == [1, 2]
    assert dataset.x_train[:, 0, 0, 0].tolist() == [10, 20, 30, 40]
    assert dataset.x_test[:, 0, 0, 0].tolist() == [50, 60]
    assert (dataset.name, dataset.crop, facts.sample_shape) == ("stanford_cars", 14, (3, 14, 14))


def test_the_layout_is_that_of_torchvision(unpacked: Path) -> None:
    from torchvision.datasets import StanfordCars

    facts = facts_stanford_cars(options(unpacked), SMALL)
    for split, labels in (("train", facts.y_train), ("test", facts.y_test)):
        theirs = StanfordCars(unpacked, split)
        assert tuple(theirs.classes) == facts.class_names
        assert [label for _, label in theirs] == labels.tolist()


def test_the_archives_give_what_the_folders_give(
    unpacked: Path, tmp_path: Path, files: Files, pack: Pack
) -> None:
    root = archived(tmp_path / "archives", files, pack)
    one, two = (load_stanford_cars(options(place), SMALL) for place in (unpacked, root))
    assert one.digest == two.digest


def test_every_published_file_is_compared_with_its_checksum(
    tmp_path: Path, files: Files, pack: Pack
) -> None:
    root = archived(tmp_path / "archives", files, pack)
    parts = tuple(
        replace(part, md5=md5((root / part.name).read_bytes()).hexdigest())
        for part in PUBLISHED.parts
    )
    published = replace(SMALL, parts=parts)
    assert len(load_stanford_cars(options(root, verify=True), published).x_test) == 2
    *others, labels = parts
    path, wrong = root / labels.name, replace(labels, md5="b0a2b23655a3edd16d84508592a98d10")
    assert refusal(root, replace(SMALL, parts=(*others, wrong)), verify=True, size=20) == (
        f"data set 'stanford_cars': '{path}' has md5 {labels.md5} - published is "
        "b0a2b23655a3edd16d84508592a98d10 - fetch it from "
        "https://ai.stanford.edu/~jkrause/cars/car_dataset.html again, or set 'verify: false' if "
        "it was changed on purpose"
    )


@pytest.mark.parametrize("use", [load_stanford_cars, facts_stanford_cars])
def test_missing_files_are_named_with_what_to_do(use: Any, places: Path) -> None:
    with pytest.raises(DataError) as caught:
        use(StanfordCarsOptions())
    assert str(caught.value) == (
        "data set 'stanford_cars': neither 'cars_train.tgz' (md5 "
        "065e5b463ae28d29e77c1b4b166cfe61) nor the unpacked folder 'cars_train' is in "
        f"'{places}/data/stanford_cars' - fetch it from "
        "https://ai.stanford.edu/~jkrause/cars/car_dataset.html (no longer there: find a copy of "
        "these files) into that folder; the data set 'glyphs100' needs no download"
    )


def test_a_missing_file_of_labels_is_named(unpacked: Path) -> None:
    (unpacked / "stanford_cars" / "cars_test_annos_withlabels.mat").unlink()
    assert refusal(unpacked).startswith(
        "data set 'stanford_cars': 'cars_test_annos_withlabels.mat' (md5 "
        f"b0a2b23655a3edd16d84508592a98d10) is not in '{unpacked}/stanford_cars' - "
    )


def test_a_truncated_archive_is_refused(tmp_path: Path, files: Files, pack: Pack) -> None:
    root = archived(tmp_path / "archives", files, pack)
    path = root / "car_devkit.tgz"
    path.write_bytes(path.read_bytes()[:-60])
    assert refusal(root) == (
        f"data set 'stanford_cars': '{path}' cannot be read: Compressed file ended before the "
        "end-of-stream marker was reached - fetch it again if it is damaged"
    )


def test_an_annotated_image_that_is_not_there_is_named(unpacked: Path) -> None:
    folder = unpacked / "stanford_cars" / "cars_test"
    (folder / "00002.jpg").unlink()
    assert refusal(unpacked) == (
        f"data set 'stanford_cars': '{folder}' has no file '00002.jpg' - fetch and unpack it again"
    )


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        (
            "devkit/cars_train_annos.mat",
            annotations({"00001.jpg": 4}),
            "'devkit/cars_train_annos.mat' has the class '4' - expected whole numbers from 1 to 3; "
            "fetch and unpack it again",
        ),
        (
            "cars_test_annos_withlabels.mat",
            mat(annotations=np.zeros((1, 3))),
            "'cars_test_annos_withlabels.mat' has no field 'fname' - fetch it again",
        ),
        (
            "devkit/cars_meta.mat",
            mat(names=[1]),
            "'devkit/cars_meta.mat' has no variable 'class_names' - fetch it again",
        ),
        (
            "devkit/cars_meta.mat",
            b"rubbish" * 30,
            "'devkit/cars_meta.mat' is no MATLAB file that can be read (Unknown mat file type, "
            "version 115, 104) - fetch it again",
        ),
    ],
    ids=["class", "field", "variable", "rubbish"],
)
def test_annotations_that_make_no_sense_are_refused(
    name: str, content: bytes, message: str, unpacked: Path
) -> None:
    (unpacked / "stanford_cars" / name).write_bytes(content)
    assert refusal(unpacked) == f"data set 'stanford_cars': {message}"


def test_an_image_outside_of_the_folder_is_refused(unpacked: Path) -> None:
    path = unpacked / "stanford_cars" / "cars_test_annos_withlabels.mat"
    path.write_bytes(annotations({"../../x.jpg": 1, "00001.jpg": 1}))
    assert refusal(unpacked) == (
        f"data set 'stanford_cars': the lists in '{path.parent}' name 'cars_test/../../x.jpg', "
        "which leads outside - expected each image once, below the data set's folder"
    )


def test_the_published_numbers_are_compared(unpacked: Path) -> None:
    assert refusal(unpacked, PUBLISHED) == (
        f"data set 'stanford_cars': '{unpacked}/stanford_cars' has 3 classes - expected 196; "
        "fetch and unpack it again"
    )
