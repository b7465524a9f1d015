"""A user's images become what the training saw; others are named."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cilsim.deploy import load_plain
from cilsim.deploy.image_files import image_files, in_blocks, read_images
from cilsim.deploy.read_samples import Place
from cilsim.deploy.stored_model import InputFacts, input_facts
from cilsim.errors import DataError

GREY = InputFacts((1, 8, 8), (0.5,), (0.25,), None)
COLOUR = InputFacts((3, 8, 8), (0.5,) * 3, (0.25,) * 3, None)


def write(path: Path, width: int = 12, height: int = 9, mode: str = "RGB") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    channels = () if mode == "L" else (3,)
    pixels = np.random.default_rng(0).integers(0, 256, (height, width, *channels), dtype=np.uint8)
    Image.fromarray(pixels).save(path)
    return path


def test_folders_give_their_images_sorted(tmp_path: Path) -> None:
    files = [write(tmp_path / name) for name in ("b/2.png", "b/10.png", "a.jpg")]
    (tmp_path / "notes.txt").write_text("no image")
    assert image_files([tmp_path]) == [files[2], files[1], files[0]]


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        image_files([tmp_path])
    assert str(caught.value) == (
        f"{tmp_path}: there are no images in it - expected files ending in "
        ".bmp, .jpeg, .jpg, .png, .webp"
    )


@pytest.mark.parametrize("given", [GREY, COLOUR], ids=["grey", "colour"])
def test_the_plain_loader_reads_the_same_pixels(given: InputFacts, tmp_path: Path) -> None:
    files = [write(tmp_path / "wide.png", 21, 9), write(tmp_path / "high.png", 9, 14, "L")]
    found = read_images(files, given)
    assert found.x.shape == (2, *given.shape)
    for file, image in zip(files, found.x, strict=True):
        np.testing.assert_array_equal(load_plain.read_image(file, 8, given.shape[0]), image)


def test_grey_pixels_keep_their_brightness() -> None:
    plane = np.arange(256, dtype=np.uint8).reshape(16, 16)
    np.testing.assert_array_equal(load_plain.grey(np.stack([plane] * 3)), plane[None])


def test_broken_files_are_named_and_left_out(tmp_path: Path) -> None:
    good, broken = write(tmp_path / "good.png"), tmp_path / "broken.png"
    broken.write_bytes(b"no image")
    missing = tmp_path / "missing.png"
    found = read_images([broken, good, missing], GREY)
    assert (found.places, found.x.shape) == ((Place(good),), (1, 1, 8, 8))
    assert found.broken == {
        broken: "not BMP, JPEG, PNG or WEBP",
        missing: "no such file",
    }


def test_nothing_but_broken_files_leaves_no_image(tmp_path: Path) -> None:
    assert read_images([tmp_path / "missing.png"], GREY).x.shape == (0, 1, 8, 8)


def test_blocks_hold_all_files_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cilsim.deploy.image_files.BLOCK", 2)
    files = [write(tmp_path / f"{name}.png") for name in "abc"]
    found = [[place.file for place in block.places] for block in in_blocks(files, GREY)]
    assert found == [files[:2], files[2:]]


def test_images_that_are_not_square_are_refused() -> None:
    from cilsim.data.arrays import arrays_dataset

    x, y = np.zeros((4, 8, 12, 3), dtype=np.uint8), np.array([0, 0, 1, 1])
    dataset = arrays_dataset(x_train=x, y_train=y, x_test=x, y_test=y, name="wide")
    with pytest.raises(DataError) as caught:
        input_facts(dataset)
    assert str(caught.value) == (
        "data set 'wide': images of 8 x 12 pixels were found - expected square ones, as image "
        "files are cut to squares"
    )
