from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import pytest

from cilsim.data import archive_source
from cilsim.data.archive_source import ArchiveSource
from cilsim.data.image_source import FolderSource, ImageSource
from cilsim.errors import DataError

Pack = Callable[[Path, dict[str, bytes]], Path]

FILES = {"list.txt": b"one\n", "empty.txt": b"", "a/2": b"22", "a/1": b"1", "a/b/3": b"3"}
TEXTS = ("list.txt", "empty.txt")


@pytest.fixture(params=["set", "set.zip", "set.tar", "set.tgz"])
def source(request: pytest.FixtureRequest, tmp_path: Path, pack: Pack) -> ImageSource:
    if request.param == "set":
        return FolderSource("set", pack(tmp_path / "set", FILES))
    inside = {f"set/{name}": content for name, content in FILES.items()}
    path = pack(tmp_path / request.param, {"other": b"", "other/list.txt": b"x", **inside})
    return ArchiveSource("set", path, "set", TEXTS)


def content(file: Path | BinaryIO) -> bytes:
    return file.read_bytes() if isinstance(file, Path) else file.read()


def test_texts_are_read(source: ImageSource) -> None:
    assert source.read(TEXTS)["list.txt"].strip() == b"one"
    assert source.read(TEXTS)["empty.txt"].strip() == b""


def test_files_of_a_folder_are_sorted(source: ImageSource) -> None:
    assert [name for name in source.names_in("a") if name != "b"] == ["1", "2"]
    assert source.names_in("a/b") == ["3"]
    assert source.names_in("none") == []


def test_wanted_images_come_with_their_rows(source: ImageSource) -> None:
    found = {row: content(file) for row, file in source.images({"a/b/3": 7, "a/1": 4})}
    assert found == {7: b"3", 4: b"1"}


def test_the_state_changes_with_a_file(source: ImageSource) -> None:
    before = source.state(["a/1"])
    assert source.state(["a/1"]) == before
    changed = source.path / "a" / "1" if source.path.is_dir() else source.path
    changed.write_bytes(changed.read_bytes() + b"x")
    assert source.state(["a/1"]) != before


def test_missing_files_are_named_three_at_most(source: ImageSource) -> None:
    with pytest.raises(DataError) as caught:
        source.state(["a/1", "w", "x", "y", "z"])
    assert str(caught.value) == (
        f"set: '{source.path}' has no file 'w', 'x', 'y' and 1 more - fetch and unpack it again"
    )


def test_a_missing_text_is_named(tmp_path: Path, pack: Pack) -> None:
    path = pack(tmp_path / "a.tar", {"set/list.txt": b"one"})
    with pytest.raises(DataError) as caught:
        ArchiveSource("set", path, "set", TEXTS).read(TEXTS)
    assert str(caught.value) == (
        f"set: '{path}' has no file 'empty.txt' - fetch and unpack it again"
    )


def test_an_enormous_file_of_an_archive_is_not_read(
    tmp_path: Path, pack: Pack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive_source, "_LARGEST", 10)
    path = pack(tmp_path / "a.zip", {"set/list.txt": bytes(11)})
    with pytest.raises(DataError) as caught:
        ArchiveSource("set", path, "set", TEXTS).read(TEXTS)
    assert str(caught.value) == (
        f"set: '{path}' has a file 'list.txt' of 11 bytes - at most 10 are read; fetch it again"
    )
