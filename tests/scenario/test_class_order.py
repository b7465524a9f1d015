from __future__ import annotations

import os
from pathlib import Path

import pytest

from cilsim.errors import DataError
from cilsim.scenario.class_order import class_ids_in_file, class_order_problems


def test_class_ids_are_read_in_the_order_of_the_file(tmp_path):
    path = tmp_path / "order.txt"
    path.write_text("# iCaRL\n3, 1 2\n\n-4 # the last\n")
    assert class_ids_in_file(path) == (3, 1, 2, -4)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"1\n2.5\n", "{path}:2: expected class ids, found '2.5'"),
        (b"1 " + b"9" * 40, "{path}:1: expected class ids, found '" + "9" * 40 + "'"),
        (b"\xff\xfe", "{path} is not UTF-8 text"),
    ],
)
def test_a_file_that_holds_something_else_is_told(tmp_path, content, message):
    path = tmp_path / "order.txt"
    path.write_bytes(content)
    with pytest.raises(DataError) as refused:
        class_ids_in_file(path)
    assert str(refused.value) == message.format(path=path)


def test_a_file_that_cannot_be_read_is_told(tmp_path):
    with pytest.raises(DataError) as refused:
        class_ids_in_file(tmp_path / "order.txt")
    assert str(refused.value) == f"no such file: {tmp_path}/order.txt"
    with pytest.raises(DataError) as refused:
        class_ids_in_file(tmp_path)
    assert str(refused.value) == f"{tmp_path} cannot be read: Is a directory"


def test_a_permutation_has_no_problems():
    assert class_order_problems((2, 0, 1), (0, 1, 2)) == []


def test_every_way_to_be_no_permutation_is_told():
    assert class_order_problems((1, 1, 7), (0, 1, 2)) == [
        "given more than once: class id 1",
        "not among the 3 classes of {dataset}: class id 7",
        "missing from the 3 classes of {dataset}: class ids 0, 2",
    ]


def test_long_lists_are_cut():
    assert class_order_problems((), range(100)) == [
        "missing from the 100 classes of {dataset}: class ids 0, 1, 2, 3, 4 and 95 more"
    ]


def test_a_wrong_order_is_told_at_the_list(problems, short):
    assert problems(short + "class_order: {list: [0, 200]}\n") == [
        "scen.yaml:3:21: class_order.list: not among the 100 classes of glyphs100: class id 200",
        "scen.yaml:3:21: class_order.list: missing from the 100 classes of glyphs100: class ids "
        "1, 2, 3, 4, 5 and 94 more",
    ]


def test_a_class_order_out_of_a_device_or_a_pipe_is_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", Path("/dev/zero")):
        with pytest.raises(DataError) as refused:
            class_ids_in_file(path)
        assert str(refused.value) == f"{path} is no regular file"


def test_an_enormous_class_order_is_refused(tmp_path):
    path = tmp_path / "order.txt"
    path.write_text("1 " * (1024 * 1024))
    with pytest.raises(DataError) as refused:
        class_ids_in_file(path)
    assert str(refused.value) == f"{path} is larger than 1 MiB; expected class ids"
