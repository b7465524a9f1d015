from __future__ import annotations

import os
from pathlib import Path

import pytest

from cilsim.errors import ScenarioError
from cilsim.scenario.reading import read_text


def refusal(path: Path) -> str:
    with pytest.raises(ScenarioError) as refused:
        read_text(path)
    return str(refused.value)


def test_a_text_file_is_read_without_its_byte_order_mark(tmp_path):
    (tmp_path / "a.yaml").write_bytes(b"\xef\xbb\xbfschema: 1\n")
    assert read_text(tmp_path / "a.yaml") == "schema: 1\n"


def test_a_missing_file_is_told_with_the_nearest_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("quickstart.yaml").write_text("")
    assert refusal(Path("quikstart.yaml")) == (
        "quikstart.yaml: no such file; did you mean 'quickstart.yaml'?"
    )


def test_a_missing_file_with_no_neighbour_is_told_plainly(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert refusal(Path("nowhere/a.yaml")) == "nowhere/a.yaml: no such file"


def test_a_folder_is_told_with_a_file_in_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("runs").mkdir()
    assert refusal(Path("runs")) == "runs: is a folder, expected a YAML file"
    Path("runs/a.yaml").write_text("")
    assert refusal(Path("runs")) == "runs: is a folder, expected a YAML file such as 'runs/a.yaml'"


def test_a_file_that_cannot_be_opened_is_told(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    os.symlink("loop.yaml", "loop.yaml")
    assert refusal(Path("loop.yaml")) == (
        "loop.yaml: cannot be read: Too many levels of symbolic links"
    )


def test_an_unreadable_file_is_told(tmp_path, monkeypatch):
    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    assert refusal(Path("a.yaml")) == "a.yaml: cannot be read: Permission denied"


def test_a_name_that_no_file_can_have_is_told():
    assert refusal(Path("a\0b")) == "a?b: cannot be a file name: embedded null byte"


def test_text_that_is_not_utf8_is_told_with_its_place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("a.yaml").write_bytes(b"schema: 1\nname: caf\xe9\n")
    assert refusal(Path("a.yaml")) == (
        "a.yaml:2:10: not UTF-8 text: byte 0xe9; save it as UTF-8\n"
        "     2 | name: caf\ufffd\n       |          ^"
    )


def test_utf16_is_told(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("a.yaml").write_bytes("schema: 1\n".encode("utf-16"))
    assert refusal(Path("a.yaml")).splitlines()[0] == (
        "a.yaml:1:1: not UTF-8 text: byte 0xff; save it as UTF-8"
    )


def test_a_large_file_is_told(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("a.yaml").write_bytes(b"#\n" * (5 * 1024 * 1024))
    assert refusal(Path("a.yaml")) == (
        "a.yaml:131073:1: larger than 256 KiB; a scenario is a small text\n131073 | #\n       | ^"
    )
