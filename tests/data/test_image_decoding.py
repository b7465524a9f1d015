"""Images of every kind that a folder may hold: what becomes of them, or why they are none."""

from __future__ import annotations

import io
import os
import struct
import warnings
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cilsim.data import image_decoding
from cilsim.data.image_decoding import NoImage, decode, decode_rows
from cilsim.data.image_folder import ImageFolderOptions, load_image_folder
from cilsim.errors import DataError

RED, GREEN, BLUE, GREY = (255, 0, 0), (0, 255, 0), (0, 0, 255), (128, 128, 128)


def colour(path: Path) -> tuple[int, ...]:
    """Return the one colour of an image after decoding."""
    found = decode(path, 8)
    assert found.shape == (3, 8, 8)
    assert found.dtype == np.uint8
    assert (found == found[:, :1, :1]).all()
    return tuple(found[:, 0, 0].tolist())


def png(width: int, height: int, *, bits: int = 8, kind: int = 0, rows: bytes = b"") -> bytes:
    """Return a PNG with this header, whatever follows."""

    def chunk(name: bytes, content: bytes) -> bytes:
        checksum = struct.pack(">I", zlib.crc32(name + content))
        return struct.pack(">I", len(content)) + name + content + checksum

    header = struct.pack(">IIBBBBB", width, height, bits, kind, 0, 0, 0)
    end = chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + end


def palette(path: Path) -> None:
    image = Image.new("P", (8, 8), 1)
    image.putpalette([0, 0, 0, *GREEN])
    image.save(path)


def palette_with_transparency(path: Path) -> None:
    image = Image.new("P", (8, 8), 1)
    image.putpalette([0, 0, 0, *GREEN])
    image.save(path, transparency=bytes([255, 0]))


def animated(path: Path) -> None:
    frames = [Image.new("RGB", (8, 8), shade) for shade in (BLUE, RED)]
    frames[0].save(path, save_all=True, append_images=frames[1:], lossless=True)


MADE: dict[str, tuple[str, Callable[[Path], object], tuple[int, ...]]] = {
    "grey": ("x.png", lambda path: Image.new("L", (8, 8), 128).save(path), GREY),
    "one bit": ("x.png", lambda path: Image.new("1", (8, 8), 1).save(path), (255, 255, 255)),
    "grey and alpha": (
        "x.png",
        lambda path: Image.new("LA", (8, 8), (128, 0)).save(path),
        GREY,
    ),
    "colour and alpha": (
        "x.png",
        lambda path: Image.new("RGBA", (8, 8), (*RED, 0)).save(path),
        RED,
    ),
    "palette": ("x.png", palette, GREEN),
    "palette and transparency": ("x.png", palette_with_transparency, GREEN),
    "cmyk": (
        "x.jpg",
        lambda path: Image.new("CMYK", (8, 8), (100, 0, 255, 50)).save(path, quality=100),
        (125, 205, 0),
    ),
    "one pixel": ("x.png", lambda path: Image.new("RGB", (1, 1), BLUE).save(path), BLUE),
    "one pixel high": ("x.png", lambda path: Image.new("RGB", (300, 1), BLUE).save(path), BLUE),
    "bitmap": ("x.bmp", lambda path: Image.new("RGB", (8, 8), RED).save(path), RED),
    "animated png": ("x.png", animated, BLUE),
    "animated webp": ("x.webp", animated, BLUE),
    "another name": (
        "x.jpg",
        lambda path: Image.new("RGB", (8, 8), RED).save(path, format="PNG"),
        RED,
    ),
}


@pytest.mark.parametrize("kind", MADE)
def test_images_become_rgb_in_the_way_that_is_documented(kind: str, tmp_path: Path) -> None:
    name, make, expected = MADE[kind]
    make(tmp_path / name)
    assert colour(tmp_path / name) == expected


def test_a_rotation_noted_by_a_camera_is_not_followed(tmp_path: Path) -> None:
    image = Image.new("RGB", (8, 8), RED)
    image.paste(BLUE, (0, 0, 8, 4))
    exif = Image.Exif()
    exif[0x0112] = 6
    image.save(tmp_path / "x.png", exif=exif)
    found = decode(tmp_path / "x.png", 8)
    assert (found[2, :4] == 255).all()
    assert (found[0, 4:] == 255).all()


def refusal(file: Path | io.BytesIO, side: int = 8) -> str:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(NoImage) as caught:
            decode(file, side)
    return str(caught.value)


def broken(name: str) -> bytes:
    """Return the first half of an image of noise."""
    file = io.BytesIO()
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    Image.fromarray(noise).save(file, name)
    return file.getvalue()[: len(file.getvalue()) // 2]


NOT_OF_A_FORMAT = "not BMP, JPEG, PNG or WEBP"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", NOT_OF_A_FORMAT),
        (b"no image at all", NOT_OF_A_FORMAT),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", NOT_OF_A_FORMAT),
        (b"GIF89a" + bytes(100), NOT_OF_A_FORMAT),
        (broken("TIFF"), NOT_OF_A_FORMAT),
        (png(50_000, 10), "50000 x 10 pixels are too many"),
        (png(10, 50_000), "10 x 50000 pixels are too many"),
        (png(30_000, 30_000), "its pixels are too many"),
        (png(10_000, 10_000), "10000 x 10000 pixels are too many"),
        (png(2**31 - 1, 2**31 - 1), "its pixels are too many"),
        (png(8, 8, bits=16), "more than 8 bits per channel"),
        (png(8, 8, bits=16, kind=2), "more than 8 bits per channel"),
        (png(8, 8, bits=16, kind=6), "more than 8 bits per channel"),
    ],
    ids=[
        "nothing", "text", "a program", "gif", "tiff", "wide", "high", "large", "not small",
        "enormous", "16 bits of grey", "16 bits of colour", "16 bits and alpha",
    ],
)  # fmt: skip
def test_what_is_no_image_is_refused_with_the_reason(
    content: bytes, message: str, tmp_path: Path
) -> None:
    (tmp_path / "x.png").write_bytes(content)
    assert refusal(tmp_path / "x.png") == message
    assert refusal(io.BytesIO(content)) == message


@pytest.mark.parametrize("name", ["PNG", "JPEG", "BMP", "WEBP"])
def test_a_truncated_image_is_refused(name: str, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(broken(name))
    found = refusal(tmp_path / "x")
    assert "truncated" in found or found == "could not create decoder object", found


def test_an_image_that_becomes_too_wide_by_resizing_is_refused(tmp_path: Path) -> None:
    Image.new("RGB", (30_000, 1)).save(tmp_path / "x.png")
    assert decode(tmp_path / "x.png", 32).shape == (3, 32, 32)
    assert refusal(tmp_path / "x.png", 1024) == "30000 x 1 pixels are too narrow"


def test_what_is_no_regular_file_is_refused_and_never_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "loop.png").symlink_to("loop.png")
    (tmp_path / "gone.png").symlink_to("nowhere")
    (tmp_path / "zero.png").symlink_to("/dev/zero")
    found = {path.stem: refusal(path) for path in tmp_path.iterdir()}
    assert found == {
        "pipe": "no regular file",
        "folder": "no regular file",
        "loop": "a broken link",
        "gone": "a broken link",
        "zero": "a broken link" if not Path("/dev/zero").exists() else found["zero"],
    }
    assert refusal(tmp_path / "missing.png") == "no such file"


def test_a_file_that_must_not_be_read_is_refused_with_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Image.new("RGB", (8, 8)).save(tmp_path / "x.png")

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Image, "open", refuse)
    assert refusal(tmp_path / "x.png") == "Permission denied"


def test_large_images_are_decoded_one_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(image_decoding, "LARGE", 63)
    for number in range(8):
        Image.new("RGB", (8, 8), (number, 0, 0)).save(tmp_path / f"{number}.png")
    at_once: list[bool] = []
    square = image_decoding._square

    def spy(*arguments: object) -> object:
        at_once.append(image_decoding._ONE_LARGE.locked())
        return square(*arguments)

    monkeypatch.setattr(image_decoding, "_square", spy)
    out = np.zeros((8, 3, 8, 8), dtype=np.uint8)
    rows = ((row, tmp_path / f"{row}.png") for row in range(8))
    assert decode_rows(rows, out) == {}
    assert out[:, 0, 0, 0].tolist() == list(range(8))
    assert at_once == [True] * 8


def test_rows_that_are_not_filled_have_a_reason(tmp_path: Path) -> None:
    Image.new("RGB", (8, 8), RED).save(tmp_path / "0.png")
    (tmp_path / "1.png").write_bytes(b"x")
    out = np.zeros((3, 3, 8, 8), dtype=np.uint8)
    found = decode_rows([(1, tmp_path / "1.png"), (0, tmp_path / "0.png")], out)
    assert found == {1: NOT_OF_A_FORMAT, 2: "missing"}
    assert out[0, 0, 0, 0] == 255


@pytest.fixture
def zoo(tmp_path: Path) -> Path:
    """A folder with two classes of good images and one of every bad thing."""
    root = tmp_path / "zoo"
    for name in ("a", "b"):
        (root / name).mkdir(parents=True)
        for number in range(20):
            Image.new("RGB", (8, 8), RED).save(root / name / f"good{number}.png")
    bad = root / "a"
    (bad / "empty.png").touch()
    (bad / "wide.png").write_bytes(png(50_000, 1))
    (bad / "deep.png").write_bytes(png(8, 8, bits=16, kind=2))
    (bad / "folder.png").mkdir()
    (bad / "loop.png").symlink_to("loop.png")
    (bad / "around").symlink_to(bad)
    os.mkfifo(bad / "pipe.jpg")
    (bad / "moving.gif").write_bytes(b"GIF89a")
    (root / "loop").symlink_to("loop")
    return root


BAD = {
    "a/around (by its name)",
    "a/moving.gif (by its name)",
    f"a/empty.png ({NOT_OF_A_FORMAT})",
    "a/wide.png (50000 x 1 pixels are too many)",
    "a/deep.png (more than 8 bits per channel)",
    "a/folder.png (no regular file)",
    "a/loop.png (a broken link)",
    "a/pipe.jpg (no regular file)",
}


def test_a_folder_with_one_of_everything_is_read_without_them(zoo: Path) -> None:
    dataset = load_image_folder(ImageFolderOptions(path=zoo, image_size=8, on_bad_image="skip"))
    assert set(dataset.skipped) == BAD
    assert dataset.facts.class_names == ("a", "b")
    assert len(dataset.x_train) + len(dataset.x_test) == 40
    assert (dataset.x_train[:, 0] == 255).all()


def test_a_folder_with_one_of_everything_is_refused_in_one_line(zoo: Path) -> None:
    (zoo / "a" / "around").unlink()
    (zoo / "a" / "moving.gif").unlink()
    with pytest.raises(DataError) as caught:
        load_image_folder(ImageFolderOptions(path=zoo, image_size=8))
    assert str(caught.value).startswith(f"image folder '{zoo}': 6 files are no readable images: a/")
    assert str(caught.value).endswith(" and 3 more - remove them, or set 'on_bad_image: skip'")


def test_names_that_cannot_be_printed_stay_on_one_line(zoo: Path) -> None:
    (zoo / "b" / "x\n\x1b[31m.png").touch()
    dataset = load_image_folder(ImageFolderOptions(path=zoo, image_size=8, on_bad_image="skip"))
    assert set(dataset.skipped) == BAD | {f"b/x ?[31m.png ({NOT_OF_A_FORMAT})"}


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("c\n", "class 'c ' has a name that cannot be printed - rename it"),
        ("\udcff", "class '?' has a name that cannot be printed - rename it"),
    ],
)
def test_a_class_that_no_report_can_show_is_refused(name: str, message: str, zoo: Path) -> None:
    (zoo / name).mkdir()
    with pytest.raises(DataError) as caught:
        load_image_folder(ImageFolderOptions(path=zoo, on_bad_image="skip"))
    assert str(caught.value) == f"image folder '{zoo}': {message}"


def test_a_class_that_is_a_link_back_is_refused(zoo: Path) -> None:
    (zoo / "c").symlink_to(zoo)
    with pytest.raises(DataError) as caught:
        load_image_folder(ImageFolderOptions(path=zoo, on_bad_image="skip"))
    assert str(caught.value) == (
        f"image folder '{zoo}': class 'c' is a link back to the whole - remove it"
    )


def test_a_folder_that_must_not_be_read_is_refused(
    zoo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (zoo / "b" / "more").mkdir()
    scandir = os.scandir

    def refuse(path: str | Path) -> object:
        if Path(path).name == "more":
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(DataError) as caught:
        load_image_folder(ImageFolderOptions(path=zoo, on_bad_image="skip"))
    assert str(caught.value) == (
        f"image folder '{zoo}/b/more': it cannot be read: Permission denied - "
        "let it be read, or remove it"
    )
