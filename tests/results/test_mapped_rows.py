import pytest
import torch

from cilsim.errors import CheckpointError
from cilsim.results.mapped_rows import map_rows, save_rows
from cilsim.results.tensors import load_state


def rows(count, seed=0):
    return torch.randn(count, 5, generator=torch.Generator().manual_seed(seed))


def test_parts_come_back_one_below_the_other(tmp_path):
    save_rows(tmp_path / "s", [rows(3), rows(0), rows(4, 1)], {})
    assert torch.equal(map_rows(tmp_path / "s"), torch.cat([rows(3), rows(4, 1)]))


def test_the_folder_is_that_of_any_stored_state(tmp_path):
    save_rows(tmp_path / "s", [rows(3)], {"data": "ring"})
    state, facts = load_state(tmp_path / "s")
    assert torch.equal(state["rows"], rows(3))
    assert facts == {"data": "ring"}


@pytest.mark.parametrize("count", [1, 13, 1000])
def test_rows_begin_where_memory_would(tmp_path, count):
    save_rows(tmp_path / "s", [rows(count)], {})
    assert map_rows(tmp_path / "s").data_ptr() % 64 == 0


def test_a_view_and_columns_of_another_tensor_are_written_as_they_look(tmp_path):
    save_rows(tmp_path / "s", [rows(6)[::2, :3]], {})
    assert torch.equal(map_rows(tmp_path / "s"), rows(6)[::2, :3])


def test_blocks_make_no_difference(tmp_path, monkeypatch):
    monkeypatch.setattr("cilsim.results.mapped_rows._WRITTEN_AT_ONCE", 7)
    save_rows(tmp_path / "s", [rows(10)], {})
    assert torch.equal(map_rows(tmp_path / "s"), rows(10))


def test_no_rows_can_be_written_too(tmp_path):
    save_rows(tmp_path / "s", [rows(0)], {})
    assert map_rows(tmp_path / "s").shape == (0, 5)


def test_what_is_written_into_them_never_reaches_the_file(tmp_path):
    save_rows(tmp_path / "s", [rows(3)], {})
    map_rows(tmp_path / "s").zero_()
    assert torch.equal(map_rows(tmp_path / "s"), rows(3))


def test_damage_is_named(tmp_path):
    save_rows(tmp_path / "s", [rows(3)], {})
    path = tmp_path / "s" / "tensors.safetensors"
    content = path.read_bytes()
    path.write_bytes(content[:-1])
    with pytest.raises(CheckpointError) as caught:
        map_rows(tmp_path / "s")
    size = len(content)
    assert str(caught.value) == (
        f"{path}: is damaged: {size} bytes were written, {size - 1} are there"
    )
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(CheckpointError) as caught:
        map_rows(tmp_path / "s")
    assert str(caught.value) == (
        f"{path}: is damaged: its checksum does not match the one in state.json"
    )
    path.unlink()
    with pytest.raises(CheckpointError) as caught:
        map_rows(tmp_path / "s")
    assert str(caught.value) == f"{path}: is missing; the stored state is incomplete"
