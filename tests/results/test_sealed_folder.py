"""What is read from a listed folder is what was written, whatever happened to it in between."""

from __future__ import annotations

import subprocess
from ast import literal_eval

import pytest

from cilsim.errors import CheckpointError
from cilsim.results.sealed_folder import SealedFolder
from cilsim.results.sums import SUMS, Beginning, read_sums


@pytest.fixture
def files(tmp_path):
    files = SealedFolder(tmp_path / "run")
    with files.changes() as changes:
        changes.write("inside/a.bin", b"first")
        changes.write("log.txt", b"one\n", grows=True)
    return files


def message(files, name):
    with pytest.raises(CheckpointError) as caught:
        files.read(name)
    return str(caught.value)


def sha256sum(folder):
    done = subprocess.run(
        ["sha256sum", "--check", "--strict", SUMS], cwd=folder, capture_output=True, text=True
    )
    return done.returncode, done.stdout.splitlines()


def test_what_was_written_is_read(files):
    assert files.read("inside/a.bin") == b"first"
    assert SealedFolder(files.path).read("log.txt") == b"one\n"


def test_a_file_that_never_was_is_none(files):
    assert files.read("b.bin") is None


def test_sha256sum_checks_the_folder(files):
    assert sha256sum(files.path) == (0, ["inside/a.bin: OK", "log.txt: OK"])
    (files.path / "log.txt").write_bytes(b"eno\n")
    assert sha256sum(files.path) == (1, ["inside/a.bin: OK", "log.txt: FAILED"])


def test_what_is_appended_is_read_and_listed(files):
    with files.changes() as changes:
        changes.append("log.txt", b"two\n")
    assert SealedFolder(files.path).read("log.txt") == b"one\ntwo\n"
    assert sha256sum(files.path) == (0, ["inside/a.bin: OK", "log.txt: OK"])


def test_a_removed_file_is_none_again(files):
    with files.changes() as changes:
        changes.remove("inside/a.bin")
    assert files.read("inside/a.bin") is None
    assert list(files.sums.listed) == ["log.txt"]


def test_a_changed_file_is_named(files):
    path = files.path / "log.txt"
    path.write_bytes(b"one\n\n")
    assert message(files, "log.txt") == (
        f"{path}: is damaged: its checksum does not match the one in SHA256SUMS"
    )


def test_a_missing_file_is_named(files):
    path = files.path / "log.txt"
    path.unlink()
    assert message(files, "log.txt") == f"{path}: is missing, though listed in SHA256SUMS"


def test_a_file_that_nobody_listed_is_not_read(files):
    path = files.path / "b.bin"
    path.write_bytes(b"b")
    assert message(files, "b.bin") == f"{path}: cannot be checked: SHA256SUMS does not list it"


def test_without_its_list_nothing_is_read(files):
    (files.path / SUMS).unlink()
    path = files.path / "log.txt"
    assert message(files, "log.txt") == f"{path}: cannot be checked: SHA256SUMS does not list it"


def test_a_change_by_another_process_is_seen(files):
    assert files.read("log.txt") == b"one\n"
    SealedFolder(files.path).write("log.txt", b"other\n")
    assert files.read("log.txt") == b"other\n"


def test_equal_content_is_not_written_again(files):
    before = (files.path / SUMS).stat().st_mtime_ns
    files.write("inside/a.bin", b"first")
    assert (files.path / SUMS).stat().st_mtime_ns == before


def test_equal_content_is_written_again_where_the_file_is_damaged(files):
    (files.path / "inside" / "a.bin").write_bytes(b"flirt")
    files.write("inside/a.bin", b"first")
    assert files.read("inside/a.bin") == b"first"


@pytest.mark.parametrize("cut", [0, 1, 3])
def test_an_append_that_a_process_died_in_leaves_what_was_before(files, cut, monkeypatch):
    """The list of the moment of the append is put back, beside a file that has part of it."""
    during = []
    monkeypatch.setattr(
        "cilsim.results.changes._append",
        lambda *_: during.append((files.path / SUMS).read_bytes()),
    )
    with files.changes() as changes:
        changes.append("log.txt", b"two\n")
    (files.path / SUMS).write_bytes(during[0])
    (files.path / "log.txt").write_bytes(b"one\n" + b"two\n"[:cut])
    assert SealedFolder(files.path).read("log.txt") == b"one\n"


def test_a_file_that_others_append_to_is_known_up_to_the_last_look(files):
    path = files.path / "others.txt"
    path.write_bytes(b"a\n")
    with files.changes() as changes:
        changes.adopt_beginning("others.txt")
    path.write_bytes(b"a\nb\n")
    assert files.read("others.txt") == b"a\n"
    with files.changes() as changes:
        changes.adopt_beginning("others.txt")
    assert files.read("others.txt") == b"a\nb\n"
    path.write_bytes(b"x\nb\n")
    assert message(files, "others.txt") == (
        f"{path}: is damaged: its checksum does not match the one in SHA256SUMS"
    )


def test_adopting_a_file_lists_it_as_a_whole(files):
    (files.path / "others.txt").write_bytes(b"a\n")
    with files.changes() as changes:
        changes.adopt_beginning("others.txt")
    with files.changes() as changes:
        changes.adopt("others.txt")
    assert files.sums.begins == {}
    assert sha256sum(files.path)[1] == ["inside/a.bin: OK", "log.txt: OK", "others.txt: OK"]


def test_a_disowned_file_is_no_longer_vouched_for(files):
    (files.path / "others.txt").write_bytes(b"a\n")
    with files.changes() as changes:
        changes.adopt_beginning("others.txt")
    with files.changes() as changes:
        changes.disown("others.txt")
    assert not files.sums.knows("others.txt")


def test_a_beginning_comes_back_from_the_list(files):
    (files.path / "others.txt").write_bytes(b"")
    with files.changes() as changes:
        changes.adopt_beginning("others.txt")
    nothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert read_sums(files.path).begins == {"others.txt": Beginning(nothing, 0)}


def test_content_is_known_again_by_the_list_or_by_the_file(files):
    assert files.agrees("log.txt", b"one\n")
    (files.path / "log.txt").write_bytes(b"two\n")
    assert files.agrees("log.txt", b"one\n")
    assert files.agrees("log.txt", b"two\n")
    assert not files.agrees("log.txt", b"six\n")


def test_no_flipped_byte_of_the_list_passes(files):
    path = files.path / SUMS
    good = path.read_bytes()
    contents = {name: files.read(name) for name in ("inside/a.bin", "log.txt")}
    for position in range(len(good)):
        path.write_bytes(good[:position] + bytes([good[position] ^ 1]) + good[position + 1 :])
        harmed = SealedFolder(files.path)
        assert harmed.sums.damage == "the sum in its last line does not match the lines above"
        for name, content in contents.items():
            try:
                assert harmed.read(name) == content
            except CheckpointError:
                continue
    for length in range(len(good)):
        path.write_bytes(good[:length])
        assert SealedFolder(files.path).sums.damage


def test_the_next_change_keeps_only_the_lines_of_a_damaged_list_that_are_true(files):
    path = files.path / SUMS
    good = path.read_bytes()
    for position in range(0, len(good), 7):
        path.write_bytes(good[:position] + bytes([good[position] ^ 1]) + good[position + 1 :])
        with SealedFolder(files.path).changes() as changes:
            changes.write("log.txt", b"one\n")
            changes.write("inside/a.bin", b"first")
        assert path.read_bytes() == good


KILLED = """
import sys
from pathlib import Path
from cilsim.results.sealed_folder import SealedFolder

folder = Path(sys.argv[1])

def prepare():
    global files
    shutil.rmtree(folder, ignore_errors=True)
    files = SealedFolder(folder)
    with files.changes() as changes:
        changes.write("old", b"old 1")
        changes.write("gone", b"gone")
        changes.write("log", b"1", grows=True)

def write():
    with files.changes() as changes:
        changes.write("old", b"old 2")
        changes.write("new", b"new")
        changes.append("log", b"2")
        changes.remove("gone")

def read():
    after = SealedFolder(folder)
    return [after.read(name) for name in ("old", "new", "log", "gone")]

kill_everywhere(prepare, write, read)
"""


def test_a_kill_anywhere_makes_no_good_file_look_damaged(tmp_path, found_after_kills):
    found = [literal_eval(line) for line in found_after_kills(KILLED, tmp_path / "run")]
    assert found[0] == [b"old 1", None, b"1", b"gone"]
    assert found[-1] == [b"old 2", b"new", b"12", None]
    for old, new, log, gone in found:
        assert old in (b"old 1", b"old 2")
        assert new in (None, b"new")
        assert log in (b"1", b"12")
        assert gone in (b"gone", None)
    assert len(found) > 20
