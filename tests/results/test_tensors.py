from __future__ import annotations

import json
import resource

import pytest
import torch

from cilsim.errors import CheckpointError, RunFolderError
from cilsim.results.tensors import load_state, save_state

STATE = {"weight": torch.arange(6.0).reshape(2, 3), "steps": 7, "nothing": None}
FACTS = {"experience": 3, "loss": 0.1, "by_number": {2: "b", 10: "a"}}


def same(state):
    return state["weight"].equal(STATE["weight"]) and state["steps"] == 7 and len(state) == 3


def test_a_state_and_its_facts_come_back(tmp_path):
    save_state(tmp_path / "a" / "state", STATE, FACTS)
    state, facts = load_state(tmp_path / "a" / "state")
    assert same(state)
    assert facts == {"experience": 3, "loss": 0.1, "by_number": {"2": "b", "10": "a"}}
    assert sorted(path.name for path in (tmp_path / "a").glob("*")) == ["state"]
    assert sorted(path.name for path in (tmp_path / "a" / "state").iterdir()) == [
        "state.json",
        "tensors.safetensors",
    ]


def test_a_state_without_tensors_comes_back(tmp_path):
    save_state(tmp_path / "state", {"a": [1, 2]}, {})
    assert load_state(tmp_path / "state") == ({"a": [1, 2]}, {})


def test_equal_states_make_equal_bytes(tmp_path):
    for name in ("a", "b"):
        save_state(tmp_path / name, STATE, FACTS)
    for file in ("state.json", "tensors.safetensors"):
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()


def test_a_newer_state_replaces_an_older_one(tmp_path):
    save_state(tmp_path / "state", {"a": 1}, {})
    save_state(tmp_path / "state", {"a": 2}, {})
    assert load_state(tmp_path / "state") == ({"a": 2}, {})
    assert [path.name for path in tmp_path.iterdir()] == ["state"]


def test_loaded_tensors_do_not_change_with_the_file(tmp_path):
    save_state(tmp_path / "state", STATE, {})
    state, _ = load_state(tmp_path / "state")
    path = tmp_path / "state" / "tensors.safetensors"
    path.write_bytes(bytes(path.stat().st_size))
    assert same(state)


def test_tensors_are_loaded_to_the_asked_device(tmp_path):
    save_state(tmp_path / "state", STATE, {})
    state, _ = load_state(tmp_path / "state", "meta")
    assert state["weight"].device.type == "meta"


def test_stored_files_have_the_usual_permissions(tmp_path):
    (tmp_path / "usual").touch()
    save_state(tmp_path / "state", STATE, {})
    modes = {path.stat().st_mode for path in (tmp_path / "state").iterdir()}
    assert modes == {(tmp_path / "usual").stat().st_mode}


@pytest.mark.parametrize("file", ["state.json", "tensors.safetensors"])
def test_no_flipped_byte_is_ever_used(tmp_path, file):
    save_state(tmp_path / "state", STATE, FACTS)
    path = tmp_path / "state" / file
    good = path.read_bytes()
    for position in range(len(good)):
        for mask in (0x01, 0x20, 0x80):
            path.write_bytes(
                good[:position] + bytes([good[position] ^ mask]) + good[position + 1 :]
            )
            with pytest.raises(CheckpointError) as caught:
                load_state(tmp_path / "state")
            assert str(caught.value).startswith(f"{path}: ")
    path.write_bytes(good)
    assert same(load_state(tmp_path / "state")[0])


@pytest.mark.parametrize("file", ["state.json", "tensors.safetensors"])
def test_no_truncated_or_extended_file_is_ever_used(tmp_path, file):
    save_state(tmp_path / "state", STATE, FACTS)
    path = tmp_path / "state" / file
    good = path.read_bytes()
    for bad in [*(good[:length] for length in range(len(good))), good + b"\n", good + b"\x00"]:
        path.write_bytes(bad)
        with pytest.raises(CheckpointError) as caught:
            load_state(tmp_path / "state")
        assert str(caught.value).startswith(f"{path}: ")


def damaged_message(folder):
    with pytest.raises(CheckpointError) as caught:
        load_state(folder)
    return str(caught.value)


def test_an_altered_tensor_file_is_named(tmp_path):
    save_state(tmp_path, STATE, {})
    path = tmp_path / "tensors.safetensors"
    path.write_bytes(path.read_bytes()[:-1] + b"\x01")
    assert damaged_message(tmp_path) == (
        f"{path}: is damaged: its checksum does not match the one in state.json"
    )


def test_a_truncated_tensor_file_is_named_with_both_sizes(tmp_path):
    save_state(tmp_path, STATE, {})
    path = tmp_path / "tensors.safetensors"
    content = path.read_bytes()
    path.write_bytes(content[:-4])
    assert damaged_message(tmp_path) == (
        f"{path}: is damaged: {len(content)} bytes were written, {len(content) - 4} are there"
    )


@pytest.mark.parametrize("file", ["state.json", "tensors.safetensors"])
def test_a_missing_file_is_named(tmp_path, file):
    save_state(tmp_path, STATE, {})
    (tmp_path / file).unlink()
    assert damaged_message(tmp_path) == (
        f"{tmp_path / file}: is missing; the stored state is incomplete"
    )


def test_a_missing_folder_is_named(tmp_path):
    assert damaged_message(tmp_path / "a") == (
        f"{tmp_path}/a/state.json: is missing; the stored state is incomplete"
    )


def test_a_folder_in_place_of_a_file_is_named(tmp_path):
    save_state(tmp_path, STATE, {})
    (tmp_path / "state.json").unlink()
    (tmp_path / "state.json").mkdir()
    assert damaged_message(tmp_path) == f"{tmp_path}/state.json: cannot be read: Is a directory"


def test_an_altered_plain_part_is_named(tmp_path):
    save_state(tmp_path, STATE, {})
    path = tmp_path / "state.json"
    path.write_text(path.read_text().replace('["steps",7]', '["steps",8]'))
    assert damaged_message(tmp_path) == (
        f"{path}: is damaged: its checksum does not match its content"
    )


def test_a_state_file_that_is_no_json_is_named(tmp_path):
    save_state(tmp_path, STATE, {})
    (tmp_path / "state.json").write_text("[" * 100_000)
    assert damaged_message(tmp_path) == (
        f"{tmp_path}/state.json: is damaged: it is not a complete JSON text"
    )


def test_a_newer_format_is_refused_with_both_numbers(tmp_path):
    save_state(tmp_path, STATE, {})
    path = tmp_path / "state.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "format": 2}))
    assert damaged_message(tmp_path) == f"{path}: has format 2; this cilsim reads format 1"


def test_a_full_disk_keeps_the_old_state_and_names_path_and_reason(tmp_path):
    save_state(tmp_path / "state", STATE, {})
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    try:
        with pytest.raises(RunFolderError) as caught:
            save_state(tmp_path / "state", {"large": torch.zeros(10_000)}, {})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert str(caught.value) == f"{tmp_path}/state: cannot be written: File too large"
    assert same(load_state(tmp_path / "state")[0])
    assert [path.name for path in tmp_path.iterdir()] == ["state"]


def test_a_state_that_cannot_be_stored_keeps_the_old_one(tmp_path):
    save_state(tmp_path / "state", STATE, {})
    with pytest.raises(CheckpointError):
        save_state(tmp_path / "state", {"bad": object()}, {})
    assert same(load_state(tmp_path / "state")[0])


def test_a_kill_at_any_moment_leaves_the_old_or_the_new_state(tmp_path, found_after_kills):
    script = """
import sys
from pathlib import Path
import torch
from cilsim.results.tensors import load_state, save_state
folder = Path(sys.argv[1]) / "state"
def write(value):
    save_state(folder, {"a": torch.full((100,), value)}, {"value": value})
def read():
    state, facts = load_state(folder)
    return set(state["a"].tolist()), facts
kill_everywhere(lambda: write(1), lambda: write(2), read)
"""
    found = found_after_kills(script, tmp_path)
    assert sorted(set(found)) == ["({1}, {'value': 1})", "({2}, {'value': 2})"]
