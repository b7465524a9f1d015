from __future__ import annotations

import gzip
import io
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cilsim.data.archive import members, read_files
from cilsim.errors import DataError

PUBLISHED = "fetch it again from where it is published"
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


def tar_of(path: Path, **facts: Any) -> Path:
    """Write a tar with one good file and a member with these facts."""
    with tarfile.open(path, "w") as archive:
        good = tarfile.TarInfo("top/a")
        good.size = 1
        archive.addfile(good, io.BytesIO(b"1"))
        member = tarfile.TarInfo(facts.pop("name"))
        for key, value in facts.items():
            setattr(member, key, value)
        archive.addfile(member, io.BytesIO(bytes(member.size)))
    return path


def test_links_that_stay_inside_are_no_files(tmp_path: Path) -> None:
    for kind, target in ((tarfile.SYMTYPE, "../top/a"), (tarfile.LNKTYPE, "top/a")):
        path = tar_of(tmp_path / "a.tar", name="top/b", type=kind, linkname=target)
        assert [name for name, _, _ in members("set", path)] == ["top/a"]
    assert refusal(path, "b") == (
        f"set: '{tmp_path}/a.tar' has no file 'b' - fetch and unpack it again"
    )


def test_links_of_a_zip_are_no_files(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        link = zipfile.ZipInfo("top/a")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
    assert list(members("set", tmp_path / "a.zip")) == []


OUTSIDE = "is a link that leads outside, to"
BAD_NAMES = [
    ("../out", "'../out' leads outside"),
    ("top/../../out", "'top/../../out' leads outside"),
    ("/abs", "'/abs' leads outside"),
    ("C:/x", "'C:/x' leads outside"),
    ("top\\x", "'top\\x' has a character that no file name should have"),
    ("top/x\ny", "'top/x y' has a character that no file name should have"),
    ("top/\x1b[31m", "'top/?[31m' has a character that no file name should have"),
    ("top/" + "x" * 2000, f"'top/{'x' * 73}...' has a name of 2004 characters"),
    ("top/a", "'top/a' is there twice"),
]


@pytest.mark.parametrize(
    ("facts", "message"),
    [
        *(({"name": name}, message) for name, message in BAD_NAMES),
        (
            {"name": "top/b", "type": tarfile.SYMTYPE, "linkname": "../../etc"},
            f"'top/b' {OUTSIDE} 'top/../../etc'",
        ),
        (
            {"name": "top/b", "type": tarfile.LNKTYPE, "linkname": "/etc/passwd"},
            f"'top/b' {OUTSIDE} '/etc/passwd'",
        ),
        ({"name": "top/b", "type": tarfile.CHRTYPE}, "'top/b' is a device or a pipe"),
        ({"name": "top/b", "type": tarfile.BLKTYPE}, "'top/b' is a device or a pipe"),
        ({"name": "top/b", "type": tarfile.FIFOTYPE}, "'top/b' is a device or a pipe"),
    ],
)
def test_a_tar_with_a_member_that_leads_outside_is_refused(
    facts: dict[str, Any], message: str, tmp_path: Path
) -> None:
    path = tar_of(tmp_path / "a.tar", **facts)
    assert refusal(path, "a") == f"set: '{path}' is refused: {message} - {PUBLISHED}"
    assert [found.name for found in tmp_path.rglob("*")] == ["a.tar"]


@pytest.mark.parametrize(("name", "message"), BAD_NAMES)
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_zip_with_a_member_that_leads_outside_is_refused(
    name: str, message: str, tmp_path: Path
) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("top/a", b"1")
        archive.writestr(name, b"x")
    assert refusal(path, "a") == f"set: '{path}' is refused: {message} - {PUBLISHED}"
    assert [found.name for found in tmp_path.rglob("*")] == ["a.zip"]


def test_a_name_of_a_zip_that_ends_early_is_refused(tmp_path: Path, pack: Pack) -> None:
    path = pack(tmp_path / "a.zip", {"top/a": b"1", "top/b#.png": b"2"})
    path.write_bytes(path.read_bytes().replace(b"b#.png", b"b\0.png"))
    assert refusal(path, "a") == (
        f"set: '{path}' is refused: 'top/b?.png' has a character that no file name should have - "
        f"{PUBLISHED}"
    )


def test_a_device_in_a_zip_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        device = zipfile.ZipInfo("top/a")
        device.external_attr = 0o020777 << 16
        archive.writestr(device, b"")
    assert refusal(path, "a") == (
        f"set: '{path}' is refused: 'top/a' is a device or a pipe - {PUBLISHED}"
    )


def test_other_compressions_of_a_zip_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("top/a", b"1")
    assert refusal(path, "a") == (
        f"set: '{path}' is refused: 'top/a' is compressed by method 14 - {PUBLISHED}"
    )


@pytest.mark.parametrize("name", ["a.zip", "a.tgz"])
def test_a_bomb_is_refused_before_it_is_read(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    size = 300 << 20
    if name == "a.zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("top/a", b"1")
        # what a zip says of its members is all that is looked at
        content = bytearray(path.read_bytes())
        place = content.index(b"PK\x01\x02") + 24
        content[place : place + 4] = size.to_bytes(4, "little")
        path.write_bytes(bytes(content))
    else:
        member = tarfile.TarInfo("top/a")
        member.size = size
        path.write_bytes(gzip.compress(member.tobuf() + bytes(10_000)))
    found = refusal(path, "a")
    archive_size = path.stat().st_size
    assert found == (
        f"set: '{path}' is refused: up to 'top/a' its members have {size + 512} bytes, more than "
        f"100 times the {archive_size} of the archive - {PUBLISHED}"
    )


def test_many_empty_members_are_a_bomb_too(
    tmp_path: Path, pack: Pack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cilsim.data.archive_member.ALWAYS_ALLOWED", 1 << 20)
    monkeypatch.setattr("cilsim.data.archive_member.EXPANSION", 2)
    path = pack(tmp_path / "a.tgz", {f"top/{number}": b"" for number in range(3000)})
    assert refusal(path, "0") == (
        f"set: '{path}' is refused: up to 'top/2048' its members have {2049 * 512} bytes, more "
        f"than 2 times the {path.stat().st_size} of the archive - {PUBLISHED}"
    )


def test_a_header_that_asks_for_memory_is_refused(tmp_path: Path) -> None:
    header = tarfile.TarInfo("././@LongLink")
    header.type, header.size = tarfile.GNUTYPE_LONGNAME, 1 << 33
    path = tmp_path / "a.tgz"
    path.write_bytes(gzip.compress(header.tobuf(tarfile.GNU_FORMAT) + bytes(100_000)))
    assert refusal(path, "a") == (
        f"set: '{path}' cannot be read: a header of {1 << 33} bytes, at most 4194304 are read - "
        "fetch it again if it is damaged"
    )


def test_a_member_of_negative_size_does_not_go_round_in_circles(tmp_path: Path) -> None:
    member = tarfile.TarInfo("top/a")
    member.size = -512
    path = tmp_path / "a.tar"
    path.write_bytes(member.tobuf(tarfile.GNU_FORMAT) + bytes(10_240))
    assert refusal(path, "a") == (f"set: '{path}' is refused: 'top/a' has -512 bytes - {PUBLISHED}")


def test_a_file_larger_than_any_list_is_not_read(
    tmp_path: Path, pack: Pack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cilsim.data.archive.MOST_BYTES", 10)
    for name in ("a.zip", "a.tar", "top"):
        files = {"a": bytes(11)} if name == "top" else {"top/a": bytes(11)}
        path = pack(tmp_path / name, files)
        assert refusal(path, "a").startswith(f"set: '{path}' is refused: '")
        assert refusal(path, "a").endswith(f"a' has 11 bytes, at most 10 are read - {PUBLISHED}")


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
        f"set: '{tmp_path}/a.tar' cannot be read: truncated header - "
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
