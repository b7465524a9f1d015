"""An image folder as a CSV file lists it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from cilsim.data.image_folder import ImageFolderOptions, facts_image_folder, load_image_folder
from cilsim.errors import DataError


def paint(path: Path, red: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (8, 8), (red, 10, 20)).save(path)


@pytest.fixture
def album(tmp_path: Path) -> Path:
    """A folder of twelve pictures in no class folders, red 0 to 11."""
    for number in range(12):
        paint(tmp_path / "album" / f"{number:02d}.png", number)
    return tmp_path / "album"


def write_list(folder: Path, *lines: str) -> Path:
    path = folder / "list.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def options(path: Path, **changes: Any) -> ImageFolderOptions:
    return ImageFolderOptions(path=path, image_size=8, **changes)


def refusal(path: Path, **changes: Any) -> str:
    with pytest.raises(DataError) as caught:
        load_image_folder(options(path, **changes))
    return str(caught.value)


def reds(images_NCHW: np.ndarray[Any, Any]) -> list[int]:
    return [int(value) for value in images_NCHW[:, 0, 0, 0]]


SPLIT = (
    "path,label,split",
    "00.png,dog,train",
    "01.png,cat,test",
    "02.png,dog,test",
    "03.png,cat,train",
    "04.png,cat,Train",
)
ORDERED = (
    "path,label,split,order",
    "00.png,zebra,train,0",
    "01.png,zebra,test,",
    "02.png,cat,train,30",
    "03.png,cat,test,",
    "04.png,ant,train,7",
    "05.png,ant,test,",
    "06.png,zebra,train,30",
)


def test_a_list_says_class_and_part_of_each_image(album: Path) -> None:
    dataset = load_image_folder(options(write_list(album, *SPLIT)))

    assert dataset.facts.class_names == ("cat", "dog")
    assert (reds(dataset.x_train), dataset.facts.y_train.tolist()) == ([3, 4, 0], [0, 0, 1])
    assert (reds(dataset.x_test), dataset.facts.y_test.tolist()) == ([1, 2], [0, 1])
    assert dataset.facts.domain_train is None


def test_the_order_of_lines_and_columns_changes_nothing(album: Path) -> None:
    digest = load_image_folder(options(write_list(album, *SPLIT))).digest
    head, *lines = [";".join(reversed(line.split(","))) for line in SPLIT]
    path = write_list(album, head, *reversed(lines))

    assert load_image_folder(options(path)).digest == digest


def test_images_may_lie_in_another_folder_than_their_list(album: Path, tmp_path: Path) -> None:
    path = write_list(tmp_path, *SPLIT)

    dataset = load_image_folder(options(path, images=album))
    assert reds(dataset.x_train) == [3, 4, 0]


def test_absolute_paths_below_the_folder_are_those_relative_to_it(album: Path) -> None:
    relative = load_image_folder(options(write_list(album, *SPLIT)))
    lines = [SPLIT[0], *(f"{album}/./{line}" for line in SPLIT[1:])]

    absolute = load_image_folder(options(write_list(album, *lines)))

    assert absolute.digest == relative.digest


def test_a_file_listed_by_both_paths_is_listed_twice(album: Path) -> None:
    path = write_list(album, *SPLIT, f"{album}/00.png,dog,train")

    assert refusal(path) == (
        f"image list '{path}' line 7: '00.png' is listed in line 2 already - expected it once"
    )


def test_without_a_split_a_part_of_each_class_is_held_out(album: Path) -> None:
    lines = [f"{number:02d}.png,{'cat' if number < 9 else 'dog'}" for number in range(12)]
    dataset = load_image_folder(options(write_list(album, "path,label", *lines)))

    assert np.bincount(dataset.facts.y_train).tolist() == [7, 2]
    assert np.bincount(dataset.facts.y_test).tolist() == [2, 1]
    assert sorted(reds(dataset.x_train) + reds(dataset.x_test)) == list(range(12))


def test_without_a_split_each_order_of_a_class_is_split_and_single_images_are_learned(
    album: Path,
) -> None:
    lines = [f"{number:02d}.png,cat,{0 if number < 10 else number}" for number in range(12)]
    facts = facts_image_folder(options(write_list(album, "path,label,order", *lines)))

    assert facts.domain_names == ("0", "10", "11")
    assert facts.domain_train is not None
    assert facts.domain_test is not None
    assert np.bincount(facts.domain_train).tolist() == [8, 1, 1]
    assert np.bincount(facts.domain_test).tolist() == [2]


def test_the_order_numbers_classes_and_names_domains(album: Path) -> None:
    facts = facts_image_folder(options(write_list(album, *ORDERED)))

    assert facts.class_names == ("zebra", "ant", "cat")
    assert facts.domain_names == ("0", "7", "30")
    assert facts.y_train.tolist() == [0, 0, 1, 2]
    assert facts.domain_train is not None
    assert facts.domain_train.tolist() == [0, 2, 1, 2]
    assert facts.domain_test is not None
    assert facts.domain_test.tolist() == [0, 1, 2]  # where nothing is said, those of the class


def test_an_order_of_test_images_alone_comes_after_those_that_are_learned(album: Path) -> None:
    lines = [line.replace("test,", "test,3") if "zebra" in line else line for line in ORDERED]
    facts = facts_image_folder(options(write_list(album, *lines)))

    assert facts.domain_names == ("0", "7", "30", "3")


def test_another_label_or_order_makes_the_cache_anew(album: Path) -> None:
    load_image_folder(options(write_list(album, *ORDERED)))
    relabelled = [line.replace("06.png,zebra,train,30", "06.png,ant,train,0") for line in ORDERED]
    facts = load_image_folder(options(write_list(album, *relabelled))).facts

    assert facts.class_names == ("ant", "zebra", "cat")
    assert facts.y_train.tolist() == [0, 0, 1, 2]
    assert facts.domain_train is not None
    assert facts.domain_train.tolist() == [0, 1, 0, 2]


def test_skipped_images_take_label_and_order_with_them(album: Path) -> None:
    (album / "06.png").write_bytes(b"no image")
    path = write_list(album, *ORDERED, "lost.png,cat,test,")
    dataset = load_image_folder(options(path, on_bad_image="skip"))

    assert dataset.skipped == (
        "06.png (line 8: not BMP, JPEG, PNG or WEBP)",
        "lost.png (line 9: no such file)",
    )
    assert reds(dataset.x_train) == [0, 4, 2]
    assert dataset.facts.y_train.tolist() == [0, 1, 2]
    assert dataset.facts.domain_train is not None
    assert dataset.facts.domain_train.tolist() == [0, 1, 2]
    assert facts_image_folder(options(path, on_bad_image="skip")).y_test.tolist() == [0, 1, 2]


def test_a_broken_image_is_named_with_its_line(album: Path) -> None:
    (album / "03.png").write_bytes(b"no image")
    path = write_list(album, *SPLIT)

    assert refusal(path) == (
        f"image folder '{path}': 1 file is no readable image: "
        "03.png (line 5: not BMP, JPEG, PNG or WEBP) - remove them, or set 'on_bad_image: skip'"
    )


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        (
            "09.png,cat",
            "line 7: 2 cells were found - expected 3, as many as the header has",
        ),
        (
            "99.png,cat,train",
            "line 7: there is no file '99.png' in '{root}' - "
            "expected paths relative to that folder, which 'images' can change",
        ),
        (
            "00.png,cat,train",
            "line 7: '00.png' is listed in line 2 already - expected it once",
        ),
        (
            "09.png,,train",
            "line 7: label '' - expected a name that can be printed",
        ),
        (
            "09.png,cat,valid",
            "line 7: split 'valid' - expected train or test",
        ),
        (
            "../09.png,cat,train",
            "line 7: path '../09.png' - expected a file below the folder of the images, '{root}'",
        ),
        (
            "/09.png,cat,train",
            "line 7: path '/09.png' - expected a file below the folder of the images, '{root}'",
        ),
        (
            ".,cat,train",
            "line 7: path '.' - expected a file below the folder of the images, '{root}'",
        ),
        (
            "sub\\09.png,cat,train",
            "line 7: there is no file 'sub\\09.png' in '{root}' - "
            "expected folders separated by '/'",
        ),
        (
            "09.png,bird,train",
            ": class 'bird' has no test image (line 7) - "
            "expected at least one for training and one for testing",
        ),
        (
            '"09.png,cat,train',
            "line 7: it is no CSV: unexpected end of data",
        ),
    ],
)
def test_a_wrong_line_is_named(album: Path, line: str, complaint: str) -> None:
    path = write_list(album, *SPLIT, line)

    gap = "" if complaint.startswith(":") else " "
    assert refusal(path) == f"image list '{path}'{gap}{complaint.format(root=album)}"


@pytest.mark.parametrize("order", ["", "-1", "1.5", "last", "1234567890"])
def test_an_order_is_a_whole_number(album: Path, order: str) -> None:
    path = write_list(album, *ORDERED, f"09.png,cat,train,{order}")

    assert refusal(path) == (
        f"image list '{path}' line 9: order '{order}' - expected a whole number from 0, "
        "the experience"
    )


@pytest.mark.parametrize(
    ("head", "complaint"),
    [
        (
            "file,label",
            "there is no column 'path'; known: file, label",
        ),
        (
            "path,lable",
            "there is no column 'label'; did you mean 'lable'?",
        ),
        (
            "path,label,fold",
            "column 'fold' is unknown - expected path, label, split, order, the last two if wanted",
        ),
        ("path,label,label", "two columns are named 'label'"),
        ("path,label,", "column 3 of the header has no name that can be printed"),
    ],
)
def test_a_wrong_header_is_refused(album: Path, head: str, complaint: str) -> None:
    path = write_list(album, head, *["00.png,cat,0"[: 10 if head.count(",") == 1 else None]])

    assert refusal(path) == f"image list '{path}': {complaint}"


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", ": it is empty - expected a header with the names of the columns"),
        (b"path,label\n", ": there is no row below the header"),
        (b"path,label\n\xff,cat\n", " is no UTF-8 text - save it as 'CSV UTF-8'"),
        (None, " cannot be read: No such file or directory"),
    ],
)
def test_a_file_that_is_no_list_is_refused(
    album: Path, content: bytes | None, complaint: str
) -> None:
    path = album / "list.csv"
    if content is not None:
        path.write_bytes(content)

    assert refusal(path) == f"image list '{path}'{complaint}"


def test_blank_lines_marks_of_systems_and_cells_of_several_lines_keep_the_numbers(
    album: Path,
) -> None:
    text = '\ufeffpath, label\r\n\r\n00.png,"cat"\r\n01.png,"do\nx"\r\n'
    path = album / "list.csv"
    path.write_bytes(text.encode())

    assert refusal(path) == (
        f"image list '{path}' line 4: label 'do x' - expected a name that can be printed"
    )


def test_a_folder_has_no_other_folder_of_images(album: Path) -> None:
    assert refusal(album, images=album) == (
        f"image folder '{album}': 'images' is given, but 'path' is no CSV file - leave it out"
    )
