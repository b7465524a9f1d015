from __future__ import annotations

import errno
import os
import resource
from contextlib import contextmanager
from types import SimpleNamespace

import pytest

from cilsim.errors import RunFolderError
from cilsim.results.atomic import (
    remove_folder,
    remove_stale,
    surviving,
    write_bytes,
    write_folder,
    write_json,
    write_text,
)


@contextmanager
def largest_file(size):
    """Let the operating system refuse to make files larger than `size` bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_file_is_written_with_its_folder_and_nothing_else(tmp_path):
    path = tmp_path / "a" / "b" / "file.bin"
    write_bytes(path, b"\x00\xff")
    assert path.read_bytes() == b"\x00\xff"
    assert names(path.parent) == ["file.bin"]


def test_text_is_written_as_utf8(tmp_path):
    write_text(tmp_path / "file.txt", "größe\n")
    assert (tmp_path / "file.txt").read_bytes() == b"gr\xc3\xb6\xc3\x9fe\n"


def test_json_is_indented_and_keeps_the_order_of_keys(tmp_path):
    write_json(tmp_path / "file.json", {"b": 1, "a": [0.1, None]})
    assert (tmp_path / "file.json").read_text() == (
        '{\n  "b": 1,\n  "a": [\n    0.1,\n    null\n  ]\n}\n'
    )


def test_json_refuses_nan_and_keeps_the_old_file(tmp_path):
    write_json(tmp_path / "file.json", {})
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / "file.json", {"a": float("nan")})
    assert (tmp_path / "file.json").read_text() == "{}\n"


def test_a_full_disk_is_told_with_what_is_free(tmp_path, monkeypatch):
    def refuse(descriptor):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", refuse)
    monkeypatch.setattr("shutil.disk_usage", lambda folder: SimpleNamespace(free=12_345))
    with pytest.raises(RunFolderError) as caught:
        write_bytes(tmp_path / "new" / "file", b"x")
    assert str(caught.value) == (
        f"{tmp_path / 'new' / 'file'}: cannot be written: No space left on device, "
        "12 kB are free there"
    )


def test_a_written_file_has_the_usual_permissions(tmp_path):
    (tmp_path / "usual").touch()
    write_bytes(tmp_path / "file", b"")
    assert (tmp_path / "file").stat().st_mode == (tmp_path / "usual").stat().st_mode


def test_a_full_disk_keeps_the_old_file_and_names_path_and_reason(tmp_path):
    path = tmp_path / "file.bin"
    write_bytes(path, b"old")
    with largest_file(1000), pytest.raises(RunFolderError) as caught:
        write_bytes(path, b"x" * 2000)
    assert str(caught.value) == f"{path}: cannot be written: File too large"
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["file.bin"]


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (errno.EROFS, "Read-only file system"),
        (errno.EACCES, "Permission denied"),
    ],
)
def test_what_the_operating_system_says_is_the_reason(tmp_path, monkeypatch, number, text):
    def refuse(descriptor):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(RunFolderError) as caught:
        write_bytes(tmp_path / "file", b"x")
    assert str(caught.value) == f"{tmp_path / 'file'}: cannot be written: {text}"
    assert names(tmp_path) == []


def test_a_file_where_a_folder_should_be_is_named(tmp_path):
    (tmp_path / "runs").touch()
    with pytest.raises(RunFolderError) as caught:
        write_bytes(tmp_path / "runs" / "a" / "file", b"x")
    assert str(caught.value) == f"{tmp_path}/runs/a/file: cannot be written: Not a directory"


def test_a_folder_where_the_file_should_be_is_named(tmp_path):
    (tmp_path / "file").mkdir()
    with pytest.raises(RunFolderError) as caught:
        write_bytes(tmp_path / "file", b"x")
    assert str(caught.value) == f"{tmp_path}/file: cannot be written: Is a directory"


def test_a_kill_during_a_write_leaves_the_old_or_the_new_file(tmp_path, found_after_kills):
    script = """
import sys
from pathlib import Path
from cilsim.results.atomic import remove_stale, write_bytes
folder = Path(sys.argv[1]); path = folder / "file"
def read():
    remove_stale(folder)
    return path.read_bytes().decode(), sorted(p.name for p in folder.iterdir())
kill_everywhere(lambda: write_bytes(path, b"old"), lambda: write_bytes(path, b"new"), read)
"""
    found = found_after_kills(script, tmp_path)
    assert sorted(set(found)) == ["('new', ['file'])", "('old', ['file'])"]


def test_a_kill_during_a_replacement_leaves_the_old_or_the_new_folder(tmp_path, found_after_kills):
    script = """
import sys
from pathlib import Path
from cilsim.results.atomic import remove_stale, surviving, write_folder
root = Path(sys.argv[1]); folder = root / "state"
def write(content):
    with write_folder(folder) as temporary:
        (temporary / "file").write_text(content)
def read():
    at_once = (surviving(folder) / "file").read_text()
    remove_stale(root)
    return at_once, (folder / "file").read_text(), sorted(p.name for p in root.iterdir())
kill_everywhere(lambda: write("old"), lambda: write("new"), read)
"""
    found = found_after_kills(script, tmp_path)
    assert sorted(set(found)) == ["('new', 'new', ['state'])", "('old', 'old', ['state'])"]


def test_an_error_while_a_folder_is_written_keeps_the_old_one(tmp_path):
    with write_folder(tmp_path / "state") as temporary:
        (temporary / "file").write_text("old")
    with pytest.raises(ZeroDivisionError), write_folder(tmp_path / "state") as temporary:
        (temporary / "file").write_text(str(1 / 0))
    assert (tmp_path / "state" / "file").read_text() == "old"
    assert names(tmp_path) == ["state"]


def test_a_folder_below_a_file_cannot_be_written(tmp_path):
    (tmp_path / "runs").touch()
    with pytest.raises(RunFolderError) as caught, write_folder(tmp_path / "runs" / "state"):
        pass
    assert str(caught.value) == f"{tmp_path}/runs/state: cannot be written: Not a directory"


def test_stale_temporaries_are_removed_at_every_depth(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "kept").touch()
    (tmp_path / "a" / ".tmp-1234-file").touch()
    (tmp_path / ".tmp-1234-state").mkdir()
    (tmp_path / ".tmp-1234-state" / "file").touch()
    remove_stale(tmp_path)
    assert names(tmp_path) == ["a"]
    assert names(tmp_path / "a") == ["kept"]


def test_a_folder_that_was_set_aside_is_put_back_only_if_its_successor_is_missing(tmp_path):
    for name in (".old-a", ".old-b", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text(name)
    remove_stale(tmp_path)
    assert names(tmp_path) == ["a", "b"]
    assert (tmp_path / "a" / "file").read_text() == ".old-a"
    assert (tmp_path / "b" / "file").read_text() == "b"


def test_the_surviving_folder_is_the_new_one_if_both_are_there(tmp_path):
    (tmp_path / ".old-a").mkdir()
    assert surviving(tmp_path / "a") == tmp_path / ".old-a"
    (tmp_path / "a").mkdir()
    assert surviving(tmp_path / "a") == tmp_path / "a"


def test_removing_a_missing_folder_does_nothing(tmp_path):
    remove_folder(tmp_path / "a")
    assert names(tmp_path) == []


def test_removing_stale_files_below_a_missing_folder_does_nothing(tmp_path):
    remove_stale(tmp_path / "a")
    assert names(tmp_path) == []
