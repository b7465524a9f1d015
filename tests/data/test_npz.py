"""Hostile .npz files; what good ones give is in test_arrays."""

from __future__ import annotations

import io
import resource
import zipfile
from pathlib import Path

import numpy as np
import pytest

from cilsim.data.npz import opened_npz
from cilsim.errors import DataError


def npy(header: str, content: bytes = b"", version: bytes = b"\x01\x00") -> bytes:
    text = header.encode("latin-1")
    return b"\x93NUMPY" + version + len(text).to_bytes(2, "little") + text + content


def write(path: Path, *members: tuple[str, bytes], compressed: bool = False) -> Path:
    kind = zipfile.ZIP_DEFLATED if compressed else zipfile.ZIP_STORED
    with zipfile.ZipFile(path, "w", kind) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return path


def refusal(path: Path, name: str = "x") -> str:
    with pytest.raises(DataError) as caught, opened_npz("set", path) as archive:
        archive.array(name)
    return str(caught.value)


HEADER = "{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}}}"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "x is damaged (ValueError)"),
        (b"\x93NUMPY", "x is damaged (ValueError)"),
        (npy(HEADER.format(descr="'|u1'", shape="(-1,)"), b"1"), "x is damaged (ValueError)"),
        (npy("__import__('os').mkdir('trace')"), "x is damaged (ValueError)"),
        (npy("(" * 9000), "x is damaged (ValueError)"),
        (npy("[" * 150 + "]" * 150), "x is damaged (ValueError)"),
        (npy("-" * 9000 + "1"), "x is damaged (ValueError)"),
        (npy("'x'" * 20_000), "x is damaged (ValueError)"),
        (npy(HEADER.format(descr="'|u1'", shape="9" * 5000)), "x is damaged (ValueError)"),
        (npy(HEADER.format(descr="'no type'", shape="(1,)")), "x is damaged (ValueError)"),
        (npy("{}", version=b"\x09\x00"), "x is damaged (ValueError)"),
    ],
    ids=[
        "empty", "cut", "negative", "a call", "parentheses", "brackets", "signs", "long", "digits",
        "type", "version",
    ],
)  # fmt: skip
def test_a_header_that_is_none_is_refused(
    content: bytes, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    found = refusal(write(tmp_path / "a.npz", ("x.npy", content)))
    assert found == f"set: {message} - write it again"
    assert [path.name for path in tmp_path.iterdir()] == ["a.npz"]


@pytest.mark.parametrize(
    ("descr", "shape", "bytes_told"),
    [
        ("'|u1'", "(1000000000000,)", 10**12),
        ("'<f8'", "(2, 2)", 32),
        ("'<U250000000'", "(1,)", 10**9),
    ],
)
def test_an_array_larger_than_its_content_takes_no_memory(
    descr: str, shape: str, bytes_told: int, tmp_path: Path
) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    path = write(tmp_path / "a.npz", ("x.npy", npy(HEADER.format(descr=descr, shape=shape), b"1")))
    assert refusal(path).endswith(f", {bytes_told} bytes, and 1 bytes of content - write it again")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100 << 10


def test_a_bomb_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cilsim.data.archive_member.ALWAYS_ALLOWED", 1 << 20)
    file = io.BytesIO()
    np.save(file, np.zeros(4 << 20, dtype=np.uint8))
    path = write(tmp_path / "a.npz", ("x.npy", file.getvalue()), compressed=True)
    with zipfile.ZipFile(path) as archive:
        packed = archive.getinfo("x.npy").compress_size
    assert refusal(path) == (
        f"set: x has {4 << 20} bytes out of {packed} in the file, more than 100 times as many - "
        "write it again"
    )


def test_what_was_compressed_and_is_no_bomb_is_read(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "a.npz", x=np.zeros(4 << 20, dtype=np.uint8))
    with opened_npz("set", tmp_path / "a.npz") as archive:
        assert archive.array("x").sum() == 0


def test_python_objects_are_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x=np.array([print, None], dtype=object))
    assert refusal(tmp_path / "a.npz") == (
        "set: x holds Python objects, which are never loaded - expected numbers or, for "
        "class_names, texts"
    )


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_an_array_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "a.npz", ("x.npy", b"1"), ("x.npy", b"2"))
    assert refusal(path) == "set: x is there twice - write it again"


def test_strange_names_stay_on_one_line(tmp_path: Path) -> None:
    path = write(tmp_path / "a.npz", *((f"{n}\n\x1b[31m{'y' * 99}.npy", b"") for n in range(12)))
    assert refusal(path).isprintable()
    assert len(refusal(path)) < 700
