from __future__ import annotations

import io
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from cilsim.data.archive import members, read_files
from cilsim.errors import DataError

Pack = Callable[[Path, dict[str, bytes]], Path]


def refusal(path: Path, *names: str) -> str:
    with pytest.raises(DataError) as caught:
        read_files("set", path, names, inside="top")
    return str(caught.value)


@pytest.mark.parametrize("name", ["a.zip", "a.tar", "a.tgz"])
def test_every_kind_of_archive_gives_its_files(name: str, tmp_path: Path, pack: Pack) -> None:
    path = pack(tmp_path / name, {"top/a": b"1", "top/b/c": b"22", "other": b""})
    assert read_files("set", path, ["b/c", "a"], inside="top") == {"a": b"1", "b/c": b"22"}
    found = [(name, size, read()) for name, size, read in members("set", path)]
    assert found == [("top/a", 1, b"1"), ("top/b/c", 2, b"22"), ("other", 0, b"")]


def test_links_of_a_tar_are_no_files(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        for name, kind in (("top/a", tarfile.SYMTYPE), ("top/b", tarfile.LNKTYPE)):
            member = tarfile.TarInfo(name)
            member.type, member.linkname = kind, "/etc/passwd"
            archive.addfile(member)
    assert list(members("set", tmp_path / "a.tar")) == []
    assert refusal(tmp_path / "a.tar", "a") == (
        f"set: '{tmp_path}/a.tar' has no file 'a' - fetch and unpack it again"
    )


def test_links_of_a_zip_are_no_files(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        link = zipfile.ZipInfo("top/a")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
    assert list(members("set", tmp_path / "a.zip")) == []


def test_nothing_is_written_whatever_members_are_called(tmp_path: Path, pack: Pack) -> None:
    pack(tmp_path / "in" / "a.zip", {"../out": b"x", "/abs": b"x", "top/a": b"1"})
    assert read_files("set", tmp_path / "in" / "a.zip", ["a"], inside="top") == {"a": b"1"}
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["a.zip", "in"]


def test_a_truncated_zip_is_one_clear_line(tmp_path: Path, pack: Pack) -> None:
    path = pack(tmp_path / "a.zip", {"top/a": bytes(1000)})
    content = path.read_bytes()
    path.write_bytes(content[:30] + content[40:])
    found = refusal(path, "a")
    assert found.startswith(f"set: '{path}' cannot be read: ")
    assert found.endswith(" - fetch it again if it is damaged")


def test_a_truncated_tar_is_one_clear_line(tmp_path: Path, pack: Pack) -> None:
    path = pack(tmp_path / "a.tgz", {"top/a": bytes(range(256)) * 400})
    path.write_bytes(path.read_bytes()[:-200])
    assert refusal(path, "a") == (
        f"set: '{path}' cannot be read: Compressed file ended before the end-of-stream marker was "
        "reached - fetch it again if it is damaged"
    )


def test_an_encrypted_file_is_one_clear_line(tmp_path: Path, pack: Pack) -> None:
    path = pack(tmp_path / "a.zip", {"top/a": b"1"})
    content = bytearray(path.read_bytes())
    content[6] |= 1
    content[content.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(bytes(content))
    assert refusal(path, "a") == (
        f"set: '{path}' cannot be read: 'top/a' is encrypted - fetch it again if it is damaged"
    )


def test_a_file_that_is_no_archive_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "a.tar").write_bytes(b"no archive")
    assert refusal(tmp_path / "a.tar", "a") == (
        f"set: '{tmp_path}/a.tar' cannot be read: file could not be opened successfully - "
        "fetch it again if it is damaged"
    )


def test_an_error_of_the_reader_is_not_taken_for_damage(tmp_path: Path, pack: Pack) -> None:
    path = pack(tmp_path / "a.tar", {"top/a": b"1"})

    def use() -> None:
        for _ in members("set", path):
            raise OSError("a full disk")

    with pytest.raises(OSError, match="a full disk"):
        use()


def test_a_dot_before_names_of_a_tar_does_not_matter(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        member = tarfile.TarInfo("./top/a")
        member.size = 1
        archive.addfile(member, io.BytesIO(b"1"))
    assert read_files("set", tmp_path / "a.tar", ["a"], inside="top") == {"a": b"1"}
