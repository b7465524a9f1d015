from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from cilsim.data.folder_listing import list_images
from cilsim.data.image_decoding import decode
from cilsim.data.image_folder import ImageFolderOptions, facts_image_folder, load_image_folder
from cilsim.errors import DataError

LAYOUT = "expected <class>/<image>, or train/<class>/<image> and test/<class>/<image>"


def paint(path: Path, red: int = 0, size: tuple[int, int] = (8, 8)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, (red, 10, 20)).save(path)


@pytest.fixture
def pets(tmp_path: Path) -> Path:
    """A folder of ten cats (red 0..9) and five dogs (red 100..104)."""
    root = tmp_path / "pets"
    for name, first, count in (("dog", 100, 5), ("cat", 0, 10)):
        for number in range(count):
            paint(root / name / f"{number:02d}.png", first + number)
    return root


def options(root: Path, **changes: Any) -> ImageFolderOptions:
    return ImageFolderOptions(path=root, image_size=8, **changes)


def refusal(root: Path, **changes: Any) -> str:
    with pytest.raises(DataError) as caught:
        load_image_folder(options(root, **changes))
    return str(caught.value)


def test_a_class_id_is_the_position_among_the_sorted_class_folders(pets: Path) -> None:
    dataset = load_image_folder(options(pets))
    assert dataset.facts.class_ids == (0, 1)
    assert dataset.facts.class_names == ("cat", "dog")
    assert dataset.facts.y_train.tolist() == [0] * 8 + [1] * 4
    assert dataset.facts.y_test.tolist() == [0] * 2 + [1]
    train, test = (x[:, 0, 0, 0].tolist() for x in (dataset.x_train, dataset.x_test))
    assert train == sorted(train)
    assert sorted(train + test) == [*range(10), *range(100, 105)]
    assert (dataset.x_train[:, 1] == 10).all()
    assert (dataset.x_train[:, 2] == 20).all()


def test_facts_come_from_the_listing_alone(pets: Path, places: Path) -> None:
    facts = facts_image_folder(options(pets))
    dataset = load_image_folder(options(pets))
    assert facts.y_train.tolist() == dataset.facts.y_train.tolist()
    assert facts.y_test.tolist() == dataset.facts.y_test.tolist()
    assert facts.class_names == ("cat", "dog")
    assert facts.sample_shape == (3, 8, 8)
    (pets / "cat" / "00.png").write_bytes(b"broken")
    assert facts_image_folder(options(pets)).y_train.tolist() == facts.y_train.tolist()


def test_the_split_of_a_class_depends_on_its_name_and_files_alone(pets: Path) -> None:
    before = list_images(pets, 0.2)
    for number in range(4):
        paint(pets / "bird" / f"{number}.png")
    after = list_images(pets, 0.2)
    assert after.class_names == ("bird", "cat", "dog")
    assert [file for file in after.test.files if "bird" not in file] == list(before.test.files)
    assert list_images(pets, 0.2).test.files == after.test.files


@pytest.mark.parametrize(("fraction", "held"), [(0.001, [1, 1]), (0.5, [5, 3]), (0.999, [9, 4])])
def test_both_parts_keep_at_least_one_image_of_each_class(
    fraction: float, held: list[int], pets: Path
) -> None:
    assert np.bincount(list_images(pets, fraction).test.class_ids).tolist() == held


def test_train_and_test_folders_decide_the_split_where_they_exist(tmp_path: Path) -> None:
    for name, part, red in (
        ("a", "train", 1),
        ("b", "train", 2),
        ("a", "test", 3),
        ("b", "test", 4),
    ):
        paint(tmp_path / part / name / "x.png", red)
    dataset = load_image_folder(options(tmp_path))
    assert dataset.x_train[:, 0, 0, 0].tolist() == [1, 2]
    assert dataset.x_test[:, 0, 0, 0].tolist() == [3, 4]
    assert dataset.facts.class_names == ("a", "b")


def test_folders_within_a_class_folder_are_read_too(tmp_path: Path) -> None:
    for number in range(2):
        paint(tmp_path / "a" / "images" / f"{number}.PNG")
    listing = list_images(tmp_path, 0.5)
    assert sorted(listing.train.files + listing.test.files) == ["a/images/0.PNG", "a/images/1.PNG"]


def test_hidden_files_and_those_that_systems_leave_are_no_images(pets: Path) -> None:
    for name in ("cat/.DS_Store", "cat/Thumbs.db", "dog/desktop.ini"):
        (pets / name).touch()
    (pets / ".git").mkdir()
    assert list_images(pets, 0.2).class_names == ("cat", "dog")
    assert list_images(pets, 0.2).foreign == ()


@pytest.mark.parametrize(
    ("size", "scaled", "box"),
    [((16, 8), (16, 8), (4, 0, 12, 8)), ((10, 30), (8, 24), (0, 8, 8, 16))],
    ids=["wide", "tall"],
)
def test_the_shorter_side_is_resized_and_the_centre_cut_out(
    size: tuple[int, int], scaled: tuple[int, int], box: tuple[int, int, int, int], tmp_path: Path
) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "x.png")
    expected = Image.fromarray(pixels).resize(scaled, Image.Resampling.BILINEAR).crop(box)
    assert (
        decode(tmp_path / "x.png", 8).tolist() == np.asarray(expected).transpose(2, 0, 1).tolist()
    )


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "CMYK"])
def test_images_of_every_usual_mode_become_rgb(mode: str, tmp_path: Path) -> None:
    name = tmp_path / ("x.jpg" if mode == "CMYK" else "x.png")
    Image.new("RGB", (8, 8), (255, 255, 255)).convert(mode).save(name)
    assert decode(name, 8).tolist() == np.full((3, 8, 8), 255).tolist()


def test_an_image_of_sixteen_bits_is_refused_rather_than_clipped(tmp_path: Path) -> None:
    Image.fromarray(np.full((8, 8), 40000, dtype=np.uint16)).save(tmp_path / "x.png")
    with pytest.raises(ValueError, match="more than 8 bits per channel"):
        decode(tmp_path / "x.png", 8)


def test_images_are_decoded_once_until_a_file_changes(
    pets: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        first = load_image_folder(options(pets))
        second = load_image_folder(options(pets))
    decoding = f"image folder '{pets}': decoding 15 images (once)"
    assert [m for m in caplog.messages if "decoding" in m] == [decoding]
    assert isinstance(second.x_train, np.memmap)
    assert (second.digest, second.mean, second.std) == (first.digest, first.mean, first.std)
    changed = pets / list_images(pets, 0.2).train.files[0]
    stat = changed.stat()
    paint(changed, 200)
    os.utime(changed, ns=(stat.st_atime_ns, stat.st_mtime_ns + 1))
    third = load_image_folder(options(pets))
    assert third.x_train[0, 0, 0, 0] == 200
    assert third.digest != first.digest


def test_normalisation_is_that_of_the_training_images(pets: Path) -> None:
    dataset = load_image_folder(options(pets))
    assert dataset.mean == pytest.approx((dataset.x_train.mean((0, 2, 3)) / 255).tolist())
    assert dataset.std[0] == pytest.approx(dataset.x_train[:, 0].std() / 255)
    assert dataset.std[1:] == (1.0, 1.0)


def test_bad_images_are_refused_naming_the_first_three_and_the_count(pets: Path) -> None:
    for number in range(3):
        (pets / "cat" / f"{number:02d}.png").write_bytes(b"no image")
    noise = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    Image.fromarray(noise).save(pets / "cat" / "03.png")
    (pets / "cat" / "03.png").write_bytes((pets / "cat" / "03.png").read_bytes()[:1500])
    (pets / "dog" / "00.png").unlink()
    (pets / "dog" / "00.png").symlink_to("nowhere")
    found = refusal(pets, test_fraction=0.01)
    assert found == (
        f"image folder '{pets}': 5 files are no readable images: cat/00.png (not BMP, JPEG, PNG or "
        "WEBP), cat/01.png (not BMP, JPEG, PNG or WEBP), cat/02.png (not BMP, JPEG, PNG or WEBP) "
        "and 2 more - remove them, or set 'on_bad_image: skip'"
    )


def test_one_bad_image_is_refused_by_name(pets: Path) -> None:
    bad = list_images(pets, 0.2).test.files[0]
    (pets / bad).write_bytes(b"no image")
    assert refusal(pets) == (
        f"image folder '{pets}': 1 file is no readable image: {bad} (not BMP, JPEG, PNG or "
        "WEBP) - "
        "remove them, or set 'on_bad_image: skip'"
    )


@pytest.mark.parametrize("use", [load_image_folder, facts_image_folder])
def test_files_with_other_endings_are_refused_before_anything_is_decoded(
    use: Any, pets: Path
) -> None:
    (pets / "cat" / "notes.txt").touch()
    (pets / "dog" / "x.gif").touch()
    with pytest.raises(DataError) as caught:
        use(options(pets))
    assert str(caught.value) == (
        f"image folder '{pets}': 2 files are no readable images: cat/notes.txt (by its name), "
        "dog/x.gif (by its name) - "
        "remove them, or set 'on_bad_image: skip'"
    )


def test_skipped_images_are_missing_from_facts_and_data_alike(
    pets: Path, caplog: pytest.LogCaptureFixture
) -> None:
    listing = list_images(pets, 0.2)
    for file in (listing.train.files[1], listing.train.files[-1], listing.test.files[0]):
        (pets / file).write_bytes(b"no image")
    (pets / "cat" / "notes.txt").touch()
    with caplog.at_level(logging.WARNING):
        facts = facts_image_folder(options(pets, on_bad_image="skip"))
        dataset = load_image_folder(options(pets, on_bad_image="skip"))
    bad = (listing.train.files[1], listing.train.files[-1], listing.test.files[0])
    reasons = [f"{file} (not BMP, JPEG, PNG or WEBP)" for file in bad]
    assert dataset.skipped == ("cat/notes.txt (by its name)", *reasons)
    assert caplog.messages == [
        f"image folder '{pets}': 4 files are skipped, being no readable images: "
        f"{', '.join(dataset.skipped[:3])} and 1 more"
    ]
    assert facts.y_train.tolist() == dataset.facts.y_train.tolist() == [0] * 7 + [1] * 3
    assert facts.y_test.tolist() == dataset.facts.y_test.tolist() == [0, 1]
    kept = [file for row, file in enumerate(listing.train.files) if row not in (1, 11)]
    reds = [int(Path(f).stem) + 100 * f.startswith("dog") for f in kept]
    assert dataset.x_train[:, 0, 0, 0].tolist() == reds
    assert refusal(pets).startswith(
        f"image folder '{pets}': 1 file is no readable image: cat/notes"
    )


def test_a_class_of_which_nothing_is_left_is_refused(pets: Path) -> None:
    (file,) = [name for name in list_images(pets, 0.2).test.files if "dog" in name]
    (pets / file).write_bytes(b"no image")
    assert refusal(pets, on_bad_image="skip") == (
        f"image folder '{pets}': class 'dog' has no readable test image left after skipping 1"
    )


def test_a_missing_folder_is_one_clear_line(tmp_path: Path) -> None:
    assert refusal(tmp_path / "none") == (
        f"image folder '{tmp_path}/none': it cannot be read: No such file or directory - {LAYOUT}"
    )


def test_a_file_in_place_of_a_folder_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert refusal(tmp_path / "file") == (
        f"image folder '{tmp_path}/file': it cannot be read: Not a directory - {LAYOUT}"
    )


def test_a_folder_without_class_folders_is_refused(tmp_path: Path) -> None:
    paint(tmp_path / "flat" / "x.png")
    assert refusal(tmp_path / "flat") == (
        f"image folder '{tmp_path}/flat': there are no class folders - {LAYOUT}"
    )


def test_a_class_without_images_is_named(pets: Path) -> None:
    (pets / "bird").mkdir()
    assert refusal(pets) == (
        f"image folder '{pets}': class 'bird' has no images - "
        "expected files ending in .bmp, .jpeg, .jpg, .png, .webp"
    )


def test_a_class_with_one_image_cannot_be_split(pets: Path) -> None:
    paint(pets / "bird" / "x.png")
    assert refusal(pets) == (
        f"image folder '{pets}': class 'bird' has 1 image - at least 2 are needed, "
        "one for training and one for testing"
    )


def test_a_train_folder_alone_is_refused(tmp_path: Path) -> None:
    paint(tmp_path / "train" / "a" / "x.png")
    assert refusal(tmp_path) == (
        f"image folder '{tmp_path}': there is train/ but no test/ - {LAYOUT}"
    )


@pytest.mark.parametrize("names", [("Test", "Train"), ("train", "val"), ("test", "training")])
def test_parts_by_other_names_are_not_taken_for_classes(
    names: tuple[str, str], tmp_path: Path
) -> None:
    for name in names:
        paint(tmp_path / name / "a" / "x.png")
    assert refusal(tmp_path) == (
        f"image folder '{tmp_path}': {', '.join(names)} look like parts, not classes - "
        "name them train and test"
    )


def test_a_class_may_be_named_as_a_part(pets: Path) -> None:
    for number in range(2):
        paint(pets / "train" / f"{number}.png")
    assert list_images(pets, 0.2).class_names == ("cat", "dog", "train")


def test_classes_in_only_one_of_train_and_test_are_named(tmp_path: Path) -> None:
    for name in ("train/a", "train/b", "test/a", "test/c"):
        paint(tmp_path / name / "x.png")
    assert refusal(tmp_path) == (
        f"image folder '{tmp_path}': classes only in train/: b; only in test/: c - "
        "expected the same classes in both"
    )
