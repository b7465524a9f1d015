from __future__ import annotations

import errno
from collections.abc import Iterator
from hashlib import md5
from pathlib import Path
from random import Random
from typing import Any

import pytest
from file_server import NO_RANGES, OTHER_RANGE, REDIRECT, SILENCE, FileServer, serving
from filelock import FileLock

from cilsim.data import transfer_by_http
from cilsim.data.download import Patience, download
from cilsim.data.publication import PublishedFile
from cilsim.errors import DataError

CONTENT = Random(0).randbytes(1_000_000)
"""A megabyte: more than what a connection holds while nobody reads."""

QUICK = Patience(retries=2, pause=0.0, silence=5.0)


@pytest.fixture
def server() -> Iterator[FileServer]:
    with serving() as running:
        running.files["birds.tgz"] = CONTENT
        yield running


def published(server: FileServer, content: bytes = CONTENT, *others: str) -> PublishedFile:
    addresses = (*others, f"{server.address}birds.tgz")
    return PublishedFile("birds.tgz", md5(content).hexdigest(), len(content), addresses)


def fetch(file: PublishedFile, folder: Path, patience: Patience = QUICK) -> Path:
    return download("data set 'birds'", file, folder, lambda done, total: None, patience)


def refusal(file: PublishedFile, folder: Path, patience: Patience = QUICK) -> str:
    with pytest.raises(DataError) as caught:
        fetch(file, folder, patience)
    return str(caught.value)


def visible(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))


def test_a_file_arrives_under_its_name_and_nothing_else_stays(
    server: FileServer, tmp_path: Path
) -> None:
    told: list[tuple[int, int | None]] = []
    path = download(
        "x", published(server), tmp_path, lambda done, total: told.append((done, total)), QUICK
    )
    assert (path, path.read_bytes()) == (tmp_path / "birds.tgz", CONTENT)
    assert visible(tmp_path) == ["birds.tgz"]
    assert server.asked == [("birds.tgz", None)]
    assert told[-1] == (len(CONTENT), len(CONTENT))
    assert told == sorted(told)


def test_a_broken_connection_is_gone_on_with_from_where_it_broke(
    server: FileServer, tmp_path: Path
) -> None:
    server.misbehaviour = [-600_000, -1000]
    assert fetch(published(server), tmp_path).read_bytes() == CONTENT
    assert server.asked == [
        ("birds.tgz", None),
        ("birds.tgz", "bytes=600000-"),
        ("birds.tgz", "bytes=601000-"),
    ]


def test_what_an_interrupted_command_left_is_gone_on_with(
    server: FileServer, tmp_path: Path
) -> None:
    def stop(done: int, total: int | None) -> None:
        if done >= 500_000:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        download("x", published(server), tmp_path, stop, QUICK)
    there = (tmp_path / "birds.tgz.part").stat().st_size
    assert 0 < there < len(CONTENT)
    assert visible(tmp_path) == ["birds.tgz.part"]
    assert fetch(published(server), tmp_path).read_bytes() == CONTENT
    assert server.asked[1] == ("birds.tgz", f"bytes={there}-")
    assert visible(tmp_path) == ["birds.tgz"]


def test_a_server_without_ranges_sends_everything_again(server: FileServer, tmp_path: Path) -> None:
    (tmp_path / "birds.tgz.part").write_bytes(CONTENT[:300_000])
    server.misbehaviour = [NO_RANGES]
    assert fetch(published(server), tmp_path).read_bytes() == CONTENT
    assert len(server.asked) == 1


def test_a_part_that_is_whole_already_is_only_compared(server: FileServer, tmp_path: Path) -> None:
    (tmp_path / "birds.tgz.part").write_bytes(CONTENT)
    assert fetch(published(server), tmp_path).read_bytes() == CONTENT
    assert server.asked == [("birds.tgz", f"bytes={len(CONTENT)}-")]


@pytest.mark.parametrize("left", [b"rubbish", CONTENT + b"more"], ids=["other", "longer"])
def test_a_part_of_something_else_is_thrown_away_and_fetched_anew(
    left: bytes, server: FileServer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "birds.tgz.part").write_bytes(left)
    assert fetch(published(server), tmp_path).read_bytes() == CONTENT
    assert server.asked == [("birds.tgz", f"bytes={len(left)}-"), ("birds.tgz", None)]
    assert caplog.messages == [
        "data set 'birds': what there was of 'birds.tgz' is not it; begun anew"
    ]


def test_a_wrong_checksum_leaves_nothing(server: FileServer, tmp_path: Path) -> None:
    expected, found = md5(b"birds").hexdigest(), md5(CONTENT).hexdigest()
    assert refusal(published(server, b"birds"), tmp_path) == (
        f"data set 'birds': {server.address}birds.tgz has md5 {found} - published for 'birds.tgz' "
        f"is {expected}; what arrived was removed, try again later or fetch it by hand"
    )
    assert visible(tmp_path) == []


def test_a_missing_file_is_told_at_once(server: FileServer, tmp_path: Path) -> None:
    server.files.clear()
    assert refusal(published(server), tmp_path) == (
        f"data set 'birds': 'birds.tgz' cannot be fetched: {server.address}birds.tgz: the server "
        "answers 404 (Not Found) - the same command goes on where it stopped, "
        f"or put the file into '{tmp_path}' by hand"
    )
    assert len(server.asked) == 1


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_busy_server_is_asked_again(status: int, server: FileServer, tmp_path: Path) -> None:
    server.misbehaviour = [status, status]
    assert fetch(published(server), tmp_path).read_bytes() == CONTENT
    assert len(server.asked) == 3


def test_a_server_that_stays_busy_is_given_up(server: FileServer, tmp_path: Path) -> None:
    server.misbehaviour = [503] * 9
    assert refusal(published(server), tmp_path) == (
        f"data set 'birds': 'birds.tgz' cannot be fetched: {server.address}birds.tgz: the server "
        "answers 503 (Service Unavailable) - the same command goes on where it stopped, "
        f"or put the file into '{tmp_path}' by hand"
    )
    assert len(server.asked) == 3


def test_pauses_double_and_begin_anew_when_something_arrives(
    server: FileServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []
    monkeypatch.setattr("cilsim.data.download.time.sleep", pauses.append)
    server.misbehaviour = [503, 503, -100_000, 503]
    fetch(published(server), tmp_path, Patience(retries=3, pause=2.0, silence=5.0))
    assert pauses == [2.0, 4.0, 2.0, 4.0]


def test_no_network_is_one_line(tmp_path: Path) -> None:
    with serving() as gone:
        file = published(gone)
    assert refusal(file, tmp_path) == (
        f"data set 'birds': 'birds.tgz' cannot be fetched: {file.addresses[0]}: no connection "
        "(Connection refused) - the same command goes on where it stopped, "
        f"or put the file into '{tmp_path}' by hand"
    )


def test_a_server_that_says_nothing_is_not_waited_for(server: FileServer, tmp_path: Path) -> None:
    server.misbehaviour = [SILENCE]
    hasty = Patience(retries=0, pause=0.0, silence=0.1)
    assert refusal(published(server), tmp_path, hasty) == (
        f"data set 'birds': 'birds.tgz' cannot be fetched: {server.address}birds.tgz: no "
        "connection (timed out) - the same command goes on where it stopped, "
        f"or put the file into '{tmp_path}' by hand"
    )


def test_the_next_address_is_tried(server: FileServer, tmp_path: Path) -> None:
    file = published(server, CONTENT, f"{server.address}moved.tgz")
    assert fetch(file, tmp_path).read_bytes() == CONTENT
    assert [name for name, _ in server.asked] == ["moved.tgz", "birds.tgz"]


def test_another_range_than_asked_for_is_not_taken(server: FileServer, tmp_path: Path) -> None:
    (tmp_path / "birds.tgz.part").write_bytes(CONTENT[:1000])
    server.misbehaviour = [OTHER_RANGE] * 3
    assert refusal(published(server), tmp_path) == (
        f"data set 'birds': 'birds.tgz' cannot be fetched: {server.address}birds.tgz: the server "
        "sends another part than was asked for - the same command goes on where it stopped, "
        f"or put the file into '{tmp_path}' by hand"
    )


def test_redirections_are_followed(server: FileServer, tmp_path: Path) -> None:
    server.misbehaviour = [REDIRECT]
    assert fetch(published(server), tmp_path).read_bytes() == CONTENT


@pytest.mark.parametrize("variable", ["http_proxy", "HTTP_PROXY", "all_proxy"])
def test_no_proxy_is_asked_for_what_is_on_this_machine(
    variable: str, server: FileServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, "http://127.0.0.1:9")
    assert fetch(published(server), tmp_path).read_bytes() == CONTENT


def test_two_processes_do_not_write_one_file(server: FileServer, tmp_path: Path) -> None:
    with FileLock(tmp_path / ".birds.tgz.lock"):
        assert refusal(published(server), tmp_path) == (
            f"data set 'birds': 'birds.tgz' is being fetched into '{tmp_path}' by another process "
            "- wait for it"
        )


def test_a_disk_that_is_too_small_is_told_before_anything_is_written(
    server: FileServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage: Any = type("Usage", (), {"free": 999})
    monkeypatch.setattr(transfer_by_http.shutil, "disk_usage", lambda path: usage)
    assert refusal(published(server), tmp_path) == (
        f"data set 'birds': '{tmp_path}' has 999 bytes free and 1000000 are to come - free some, "
        "or give another --root"
    )


def test_a_disk_that_fills_up_is_one_line_and_what_arrived_is_kept(
    server: FileServer, tmp_path: Path
) -> None:
    def full(done: int, total: int | None) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(DataError) as caught:
        download("x", published(server), tmp_path, full, QUICK)
    assert str(caught.value) == (
        f"x: '{tmp_path}' cannot be written: No space left on device - "
        "give a --root that can be written and has space"
    )
    assert fetch(published(server), tmp_path).read_bytes() == CONTENT
    assert server.asked[1][1] is not None


def test_a_folder_that_cannot_be_written_is_named(server: FileServer, tmp_path: Path) -> None:
    folder = tmp_path / "none"
    folder.write_text("a file")
    assert refusal(published(server), folder) == (
        f"data set 'birds': '{folder}' cannot be written: File exists - "
        "give a --root that can be written and has space"
    )


def test_a_file_without_checksum_can_have_no_address() -> None:
    with pytest.raises(ValueError, match=r"^'a\.zip' has an address and no checksum$"):
        PublishedFile("a.zip", addresses=("https://example.org/a.zip",))
