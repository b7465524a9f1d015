from __future__ import annotations

import io
import pickle
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from PIL import Image


@pytest.fixture(autouse=True)
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep every test away from the user's own data and cache."""
    monkeypatch.setenv("CILSIM_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("CILSIM_DATA", str(tmp_path / "data"))
    return tmp_path


@pytest.fixture(scope="session")
def glyph_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("glyph-cache")


class Python2Pickler(pickle._Pickler):
    """Writes texts as Python 2 did, which wrote the archives of CIFAR."""

    dispatch: ClassVar[dict[type, Any]] = dict(pickle._Pickler.dispatch)

    def save_text(self, text: str | bytes) -> None:
        content = text.encode() if isinstance(text, str) else text
        if len(content) < 256:
            self.write(pickle.SHORT_BINSTRING + bytes([len(content)]) + content)
        else:
            self.write(pickle.BINSTRING + len(content).to_bytes(4, "little") + content)
        self.memoize(text)

    dispatch[str] = save_text
    dispatch[bytes] = save_text


@pytest.fixture
def python2_pickle() -> Callable[[Any], bytes]:
    def dump(content: Any) -> bytes:
        file = io.BytesIO()
        Python2Pickler(file, protocol=2).dump(content)
        return file.getvalue().replace(b"cnumpy._core.multiarray\n", b"cnumpy.core.multiarray\n")

    return dump


@pytest.fixture
def cifar_files(python2_pickle: Callable[[Any], bytes]) -> Callable[[str], dict[str, bytes]]:
    """Return the files of a small `cifar10` or `cifar100`: every class twice, test once."""

    def files(name: str) -> dict[str, bytes]:
        classes = 10 if name == "cifar10" else 100
        label_key, names_key = (
            ("labels", "label_names") if name == "cifar10" else ("fine_labels", "fine_label_names")
        )

        def batch(first: int, labels: list[int]) -> bytes:
            pixels = np.random.default_rng(first).integers(
                0, 256, (len(labels), 3072), dtype=np.uint8
            )
            extra = {"batch_label": "a batch", "filenames": [f"{row}.png" for row in labels]}
            return python2_pickle({**extra, label_key: labels, "data": pixels})

        names = {names_key: [f"class {number}" for number in range(classes)]}
        once = list(range(classes))
        if name == "cifar100":
            train = {"train": batch(0, once[::-1] + once)}
            return {**train, "test": batch(9, once), "meta": python2_pickle(names)}
        numbers = range(1, 6)
        train = {
            f"data_batch_{number}": batch(number, [(3 * number + k) % 10 for k in range(4)])
            for number in numbers
        }
        return {**train, "test_batch": batch(9, once), "batches.meta": python2_pickle(names)}

    return files


@pytest.fixture
def write_folder() -> Callable[[Path, dict[str, bytes]], None]:
    def write(folder: Path, files: dict[str, bytes]) -> None:
        folder.mkdir(parents=True)
        for name, content in files.items():
            (folder / name).write_bytes(content)

    return write


@pytest.fixture
def write_archive() -> Callable[[Path, str, dict[str, bytes]], None]:
    def write(path: Path, inside: str, files: dict[str, bytes]) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tarfile.open(path, "w:gz") as archive:
            for name, content in files.items():
                member = tarfile.TarInfo(f"{inside}/{name}")
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))

    return write


@pytest.fixture(scope="session")
def photograph() -> Callable[..., bytes]:
    """Return a JPEG of one grey, which survives the compression exactly."""

    def make(grey: int, size: tuple[int, int] = (24, 20)) -> bytes:
        file = io.BytesIO()
        Image.new("RGB", size, (grey, grey, grey)).save(file, "JPEG", quality=95)
        return file.getvalue()

    return make


@pytest.fixture
def pack() -> Callable[[Path, dict[str, bytes]], Path]:
    """Write files as the path's name asks: a .zip, .tar or .tgz archive, else a folder."""

    def write(path: Path, files: dict[str, bytes]) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".zip":
            with zipfile.ZipFile(path, "w") as archive:
                for name, content in files.items():
                    archive.writestr(name, content)
        elif path.suffix in (".tar", ".tgz"):
            with tarfile.open(path, "w:gz" if path.suffix == ".tgz" else "w") as archive:
                for name, content in files.items():
                    member = tarfile.TarInfo(name)
                    member.size = len(content)
                    archive.addfile(member, io.BytesIO(content))
        else:
            for name, content in files.items():
                (path / name).parent.mkdir(parents=True, exist_ok=True)
                (path / name).write_bytes(content)
        return path

    return write
