"""Damaged data files: what was in them, or one line that says why not; nothing else ever."""

from __future__ import annotations

import gzip
import io
import pickle
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
from PIL import Image

from cilsim.data.archive import members
from cilsim.data.image_decoding import NoImage, decode
from cilsim.data.npz import opened_npz
from cilsim.data.plain_pickle import PickleRefused, read_plain_pickle
from cilsim.errors import DataError

TIMES = 250
MANY = 4_000

PIXELS = np.arange(64, dtype=np.uint8).reshape(4, 16)


def pickled() -> bytes:
    content = {"labels": [1, 300, 70_000], "data": PIXELS, "names": ["a", b"b", None, True, 1.5]}
    return pickle.dumps(content, protocol=2)


def zipped() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(3):
            archive.writestr(f"top/{number}", bytes(range(200)))
    return file.getvalue()


def tarred(form: int = tarfile.PAX_FORMAT) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=form) as archive:
        for number in range(3):
            member = tarfile.TarInfo(f"top/{number}" + "x" * 120 * (number == 2) + "é")
            member.size = 200
            archive.addfile(member, io.BytesIO(bytes(range(200))))
    return file.getvalue()


def npz() -> bytes:
    file = io.BytesIO()
    np.savez_compressed(file, x=PIXELS, y=np.arange(4))
    return file.getvalue()


def image(name: str) -> bytes:
    file = io.BytesIO()
    Image.fromarray(PIXELS.repeat(4, axis=0)).convert("P").save(file, name)
    return file.getvalue()


def read_archive(path: Path) -> None:
    for _, _, read in members("set", path):
        read()


def read_npz(path: Path) -> None:
    with opened_npz("set", path) as archive:
        for name in archive.names:
            archive.array(name)


KINDS: dict[str, tuple[Callable[[], bytes], Callable[[Path], Any], type[Exception]]] = {
    "pickle": (pickled, lambda path: read_plain_pickle(path.read_bytes()), PickleRefused),
    "zip": (zipped, read_archive, DataError),
    "tar": (tarred, read_archive, DataError),
    "gnu tar": (lambda: tarred(tarfile.GNU_FORMAT), read_archive, DataError),
    "tar.gz": (lambda: gzip.compress(tarred()), read_archive, DataError),
    "npz": (npz, read_npz, DataError),
    "png": (lambda: image("PNG"), lambda path: decode(path, 8), NoImage),
    "bmp": (lambda: image("BMP"), lambda path: decode(path, 8), NoImage),
    "webp": (lambda: image("WEBP"), lambda path: decode(path, 8), NoImage),
}


def mutants(content: bytes, seed: int, count: int) -> Iterator[bytes]:
    """Yield copies with some bytes changed, taken out, put in, repeated, or the end cut off."""
    random = Random(seed)
    for _ in range(count):
        found = bytearray(content)
        for _ in range(1 + int(random.expovariate(0.7))):
            place = random.randrange(len(found) + 1)
            piece = random.choice(
                (
                    bytes([random.randrange(256)]),
                    random.randbytes(4),
                    random.choice((b"\xff", b"\x00", b"7", b"-")) * random.choice((1, 4, 8, 12)),
                    bytes(found[random.randrange(len(found) + 1) :][: random.randrange(1, 40)]),
                )
            )
            cut = len(found) if random.random() < 0.05 else place + random.choice((0, len(piece)))
            found[place:cut] = piece
        yield bytes(found)


def read_all(kind: str, folder: Path, seed: int, count: int) -> tuple[int, int]:
    """Return how many mutants were read and how many refused."""
    make, read, refusal = KINDS[kind]
    path = folder / "file"
    messages = []
    for content in mutants(make(), seed, count):
        path.write_bytes(content)
        try:
            read(path)
        except refusal as error:
            messages.append(str(error))
    assert [found.name for found in folder.iterdir()] == ["file"]
    assert all(message.isprintable() and len(message) < 4000 for message in messages)
    return count - len(messages), len(messages)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "here").mkdir()
    return tmp_path / "here"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.filterwarnings("ignore")
def test_a_damaged_file_is_read_or_refused_in_one_line(kind: str, folder: Path) -> None:
    read, refused = read_all(kind, folder, 0, TIMES)
    assert read + refused == TIMES
    assert refused > 0


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.filterwarnings("ignore")
def test_many_damaged_files_are_read_or_refused_in_one_line(kind: str, folder: Path) -> None:
    read, refused = read_all(kind, folder, 1, MANY)
    assert read + refused == MANY
    assert refused > 0
