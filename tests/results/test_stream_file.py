"""The stored description of a stream."""

from __future__ import annotations

import pytest

from cilsim.errors import CheckpointError
from cilsim.records import ExperienceInfo, StreamInfo
from cilsim.results.sealed_folder import SealedFolder
from cilsim.results.stream_file import STREAM as FILE
from cilsim.results.stream_file import read_stream, stream_bytes

STREAM = StreamInfo(
    kind="class_incremental",
    dataset="arrays",
    protocol="B2-Inc1",
    experiences=(
        ExperienceInfo(0, "base", (0, 1), 2, 20, 0, 10),
        ExperienceInfo(1, "increment 1", (2,), 3, 10, 0, 5),
    ),
    class_ids=(7, 3, 5),
    class_names=("seven", "three", "five"),
    groups=("base", "novel"),
    digest="ab" * 32,
)


def test_a_stream_comes_back_as_it_was(tmp_path):
    SealedFolder(tmp_path).write(FILE, stream_bytes(STREAM))
    assert read_stream(tmp_path) == STREAM


def test_there_is_none_before_the_first_experience(tmp_path):
    assert read_stream(tmp_path) is None


def test_a_file_that_is_no_stream_is_named(tmp_path):
    SealedFolder(tmp_path).write(FILE, b'{"kind": "x"}')
    with pytest.raises(CheckpointError) as caught:
        read_stream(tmp_path)
    assert str(caught.value) == (
        f"{tmp_path / 'stream.json'}: is damaged: it does not describe a stream"
    )
