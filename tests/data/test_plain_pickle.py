from __future__ import annotations

import os
import pickle
import resource
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cilsim.data.plain_pickle import PickleRefused, read_plain_pickle

PIXELS = np.arange(12, dtype=np.uint8).reshape(2, 6)


class Evil:
    """Runs a command when it is unpickled."""

    def __init__(self, call: Callable[..., Any], *arguments: Any) -> None:
        self.call = call, arguments

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return self.call


def test_a_pickle_of_python_2_is_read_as_the_archives_have_it(
    python2_pickle: Callable[[Any], bytes],
) -> None:
    content = python2_pickle({"labels": [3, 1], "data": PIXELS, "batch_label": "one"})
    assert content.startswith(b"\x80\x02}")
    assert b"cnumpy.core.multiarray\n_reconstruct\n" in content
    found = read_plain_pickle(content)
    assert found["data"].tolist() == PIXELS.tolist()
    assert found["data"].dtype == np.uint8
    assert (found["labels"], found["batch_label"]) == ([3, 1], b"one")


def test_a_pickle_of_python_3_is_read_too() -> None:
    found = read_plain_pickle(pickle.dumps({b"data": PIXELS, "names": ["a"]}, protocol=4))
    assert (found["data"].tolist(), found["names"]) == (PIXELS.tolist(), ["a"])


@pytest.mark.parametrize("protocol", [1, 2, 3, 4, 5])
def test_nothing_that_a_pickle_names_is_run(protocol: int, tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    content = pickle.dumps({"data": Evil(os.mkdir, str(trace))}, protocol=protocol)
    with pytest.raises(PickleRefused) as caught:
        read_plain_pickle(content)
    assert str(caught.value) == "it refers to 'posix.mkdir'"
    assert not trace.exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"cbuiltins\neval\n(S'1'\ntR.", "it refers to 'builtins.eval'"),
        (b"cnumpy\nload\n(S'x'\ntR.", "it refers to 'numpy.load'"),
        (b"", "it is truncated"),
        (b"\x80\x02}U", "it is truncated"),
        (b"\x80\x02]q\x01.", "it holds a list, not a dictionary"),
        # state given to the stand-in for NumPy's maker, to alter it for later files
        (b"cnumpy\ndtype\n}S'x'\nK\x01sb.", "it has the instruction b'S'"),
        (b"cnumpy.core.multiarray\n_reconstruct\n(tRK\x01b.", "it is damaged (a call of nothing)"),
    ],
    ids=["eval", "another name", "empty", "cut", "list", "alters the reader", "no state"],
)
def test_anything_else_is_refused(content: bytes, message: str) -> None:
    with pytest.raises(PickleRefused) as caught:
        read_plain_pickle(content)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    "array",
    [np.zeros(3), np.array([None, 1]), np.asfortranarray(PIXELS)],
    ids=["floats", "objects", "column order"],
)
def test_arrays_of_anything_but_bytes_in_row_order_are_refused(array: np.ndarray) -> None:
    with pytest.raises(PickleRefused) as caught:
        read_plain_pickle(pickle.dumps({"data": array}, protocol=4))
    assert str(caught.value) == "an array is not of unsigned bytes in row order"


def test_an_array_with_fewer_bytes_than_its_shape_is_refused(
    python2_pickle: Callable[[Any], bytes],
) -> None:
    content = python2_pickle({"data": PIXELS}).replace(b"K\x02K\x06\x86", b"K\x02K\x07\x86")
    with pytest.raises(PickleRefused) as caught:
        read_plain_pickle(content)
    assert str(caught.value) == "an array has another shape than its content"


def refusal(content: bytes) -> str:
    with pytest.raises(PickleRefused) as caught:
        read_plain_pickle(content)
    return str(caught.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\x80\x04\x8e" + (1 << 62).to_bytes(8, "little") + b"x.", "it is truncated"),
        (b"\x80\x05\x96" + (1 << 40).to_bytes(8, "little"), "it has the instruction b'\\x96'"),
        (b"\x80\x02T\xff\xff\xff\xff.", "it is truncated"),
        (b"\x80\x02\x8b\xff\xff\xff\x7f.", "it has the instruction b'\\x8b'"),
        (b"\x80\x02c" + b"x" * 100_000, "it is truncated"),
        (b"(" * 1_000_000, "it is truncated"),
        (b"\x80\x02t.", "it is damaged (IndexError)"),
        (b"\x80\x02\x85.", "it is damaged (an empty stack)"),
        (b"\x80\x02Nt.", "it is damaged (no mark)"),
        (b"\x80\x02NNa.", "it is damaged (no list)"),
        (b"\x80\x02NNNs.", "it is damaged (no dictionary)"),
        (b"\x80\x02}]Ns.", "a key of its dictionary is no text"),
        (b"\x80\x02h\x05.", "it is damaged (KeyError)"),
        (b"\x80\x02NNb.", "it is damaged (a state of nothing)"),
        (b"\x80\x04NN\x93.", "it is damaged (a name that is no text)"),
        (b"\x80\x02X\x01\x00\x00\x00\xff.", "it is damaged (UnicodeDecodeError)"),
        (b"\x80\x02P", "it has the instruction b'P'"),
        (b"cnumpy\nndarray\n)R.", "it is damaged (a call of nothing)"),
        (b"\x80\x02}U\x04datacnumpy.core.multiarray\n_reconstruct\nK\x00\x85Rs.",
         "an array has no content"),
    ],
)  # fmt: skip
def test_what_no_archive_holds_is_refused(content: bytes, message: str) -> None:
    assert refusal(content) == message


def test_a_number_for_the_memory_takes_no_memory() -> None:
    """Python's own reader makes room for as many values as the number says: 64 GB."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert read_plain_pickle(b"\x80\x02}r\xff\xff\xff\xff.") == {}
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100 << 10


def test_tuples_within_tuples_are_never_keys() -> None:
    """The hash of such a key would take longer than the universe is old."""
    content = b"\x80\x02)q\x00" + b"h\x00h\x00\x86q\x00" * 200 + b"}h\x00Ns."
    assert refusal(content) == "a key of its dictionary is no text"


def test_nesting_has_no_end_and_needs_none() -> None:
    found = read_plain_pickle(b"\x80\x02}U\x01a" + b"]" * 200_000 + b"a" * 199_999 + b"s.")
    assert list(found) == ["a"]
