from __future__ import annotations

import numpy as np
import pytest
import torch

from cilsim.data.host_rows import HostRows, concatenated

CPU = torch.device("cpu")


@pytest.fixture
def array() -> np.ndarray:
    return np.arange(6 * 12, dtype=np.uint8).reshape(6, 3, 2, 2)


@pytest.fixture
def rows(array: np.ndarray) -> HostRows:
    return HostRows(array, np.array([4, 0, 5]), CPU)


@pytest.fixture
def tensor(array: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(array[[4, 0, 5]])


def test_they_look_like_the_tensor_that_they_stand_for(
    rows: HostRows, tensor: torch.Tensor
) -> None:
    def look(x: HostRows | torch.Tensor) -> list[object]:
        return [len(x), x.shape, x.ndim, x.dtype, x.device, x.nbytes]

    assert look(rows) == look(tensor)


@pytest.mark.parametrize(
    "index",
    [0, -1, slice(None), slice(1, 3), slice(0, 3, 2), slice(3, 9)],
    ids=str,
)
def test_an_index_or_a_slice_gives_what_it_gives_of_the_tensor(
    rows: HostRows, tensor: torch.Tensor, index: int | slice
) -> None:
    assert torch.equal(rows[index], tensor[index])


def test_places_come_in_the_order_asked_for(rows: HostRows, tensor: torch.Tensor) -> None:
    places = torch.tensor([2, 0, 0])
    assert torch.equal(rows[places], tensor[places])
    assert torch.equal(rows.index_select(0, places), tensor[places])


def test_only_the_first_axis_is_selected_from(rows: HostRows) -> None:
    with pytest.raises(ValueError, match=r"^samples are read along axis 0, not 1$"):
        rows.index_select(1, torch.tensor([0]))


def test_a_place_that_is_not_there_is_refused(rows: HostRows) -> None:
    with pytest.raises(IndexError):
        rows[3]
    with pytest.raises(IndexError):
        rows[torch.tensor([3])]


def test_an_array_in_another_memory_order_is_read_alike(rows: HostRows) -> None:
    turned = np.asfortranarray(rows.array_A)
    assert torch.equal(HostRows(turned, rows.position_N, CPU)[:], rows[:])


def test_what_is_read_is_a_copy(rows: HostRows, array: np.ndarray) -> None:
    rows[:].zero_()
    assert array.sum() == sum(range(72))


def test_parts_of_one_array_are_joined_on_the_host(array: np.ndarray) -> None:
    first, second = (HostRows(array, np.array(places), CPU) for places in ([4, 0], [1]))
    both = concatenated([first, second])
    assert isinstance(both, HostRows)
    assert both.position_N.tolist() == [4, 0, 1]
    assert both.array_A is array


def test_parts_of_several_arrays_are_joined_as_a_tensor(array: np.ndarray) -> None:
    host = HostRows(array, np.array([1]), CPU)
    other = torch.from_numpy(array[2:3])
    both = concatenated([host, other])
    assert isinstance(both, torch.Tensor)
    assert torch.equal(both, torch.from_numpy(array[1:3]))


@pytest.mark.gpu
def test_batches_go_to_the_gpu(array: np.ndarray) -> None:
    rows = HostRows(array, np.array([4, 0]), torch.device("cuda:0"))
    assert rows[:].device.type == "cuda"
    assert rows.read(torch.tensor([0]), pinned=True).is_pinned()
