from __future__ import annotations

import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cilsim.data.plain_pickle import read_plain_pickle

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


@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_nothing_that_a_pickle_names_is_run(protocol: int, tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    content = pickle.dumps({"data": Evil(os.mkdir, str(trace))}, protocol=protocol)
    with pytest.raises(pickle.UnpicklingError) as caught:
        read_plain_pickle(content)
    assert str(caught.value) == "it refers to 'posix.mkdir'"
    assert not trace.exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"cbuiltins\neval\n(S'1'\ntR.", "it refers to 'builtins.eval'"),
        (b"cnumpy\nload\n(S'x'\ntR.", "it refers to 'numpy.load'"),
        (b"", "it is damaged (EOFError)"),
        (b"\x80\x02}U", "pickle data was truncated"),
        (b"\x80\x02]q\x01.", "it holds a list, not a dictionary"),
        # state given to the stand-in for NumPy's maker, to alter it for later files
        (b"cnumpy\ndtype\n}S'x'\nK\x01sb.", "it is damaged (AttributeError)"),
        (b"cnumpy.core.multiarray\n_reconstruct\n(tRK\x01b.", "it is damaged (TypeError)"),
    ],
    ids=["eval", "another name", "empty", "cut", "list", "alters the reader", "no state"],
)
def test_anything_else_is_refused(content: bytes, message: str) -> None:
    with pytest.raises(pickle.UnpicklingError) as caught:
        read_plain_pickle(content)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    "array",
    [np.zeros(3), np.array([None, 1]), np.asfortranarray(PIXELS)],
    ids=["floats", "objects", "column order"],
)
def test_arrays_of_anything_but_bytes_in_row_order_are_refused(array: np.ndarray) -> None:
    with pytest.raises(pickle.UnpicklingError) as caught:
        read_plain_pickle(pickle.dumps({"data": array}, protocol=4))
    assert str(caught.value) == "an array is not of unsigned bytes in row order"


def test_an_array_with_fewer_bytes_than_its_shape_is_refused(
    python2_pickle: Callable[[Any], bytes],
) -> None:
    content = python2_pickle({"data": PIXELS}).replace(b"K\x02K\x06\x86", b"K\x02K\x07\x86")
    with pytest.raises(pickle.UnpicklingError) as caught:
        read_plain_pickle(content)
    assert str(caught.value) == "it is damaged (ValueError)"
