from __future__ import annotations

import math
import threading
from collections import OrderedDict
from enum import IntEnum
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from cilsim.errors import CheckpointError
from cilsim.results.packing import pack_state, unpack_state

CAN = "tensors, arrays, numbers, text, booleans, None, lists, tuples and dictionaries can"


def round_trip(state, device="cpu"):
    return unpack_state(*pack_state(state), device)


def alike(a, b):
    """Whether two states are equal down to types, NaN and the sign of zero."""
    if type(a) is not type(b):
        return False
    if isinstance(a, torch.Tensor):
        return a.dtype == b.dtype and a.shape == b.shape and bytes_of(a) == bytes_of(b)
    if isinstance(a, np.ndarray):
        return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
    if isinstance(a, dict):
        return list(a) == list(b) and all(alike(a[key], b[key]) for key in a)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(alike, a, b))
    if isinstance(a, float):
        return repr(a) == repr(b)
    return a == b


def bytes_of(tensor):
    return tensor.contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()


shapes = st.lists(st.integers(0, 3), max_size=3)
dtypes = st.sampled_from(
    [torch.bool, torch.uint8, torch.int64, torch.float32, torch.float64, torch.bfloat16]
)
tensors = st.builds(
    lambda shape, dtype: torch.arange(math.prod(shape)).reshape(shape).to(dtype), shapes, dtypes
)
arrays = st.builds(lambda shape: np.arange(math.prod(shape), dtype=">i4").reshape(shape), shapes)
plain = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
states = st.recursive(
    plain | tensors | arrays.map(lambda array: array.astype("<i4")),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(st.text() | st.integers(), inner, max_size=3)
    ),
    max_leaves=10,
)


@settings(deadline=None, max_examples=150)
@given(states)
def test_any_state_comes_back_as_it_was(state):
    assert alike(round_trip(state), state)


@pytest.mark.parametrize(
    "dtype",
    [
        *(torch.bool, torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64),
        *(torch.float16, torch.bfloat16, torch.float32, torch.float64),
        *(torch.uint16, torch.uint32, torch.uint64, torch.complex64, torch.complex128),
        *(torch.float8_e4m3fn, torch.float8_e5m2),
    ],
    ids=str,
)
@pytest.mark.parametrize("shape", [(), (3,), (2, 3), (0, 3)], ids=str)
def test_every_type_and_shape_of_tensor_comes_back(dtype, shape):
    tensor = torch.arange(math.prod(shape)).reshape(shape).to(torch.float32).to(dtype)
    assert alike(round_trip(tensor), tensor)


def test_a_transposed_tensor_comes_back_with_its_strides():
    tensor = torch.arange(6.0).reshape(2, 3).T
    restored = round_trip(tensor)
    assert alike(restored, tensor)
    assert restored.stride() == (1, 3)


def test_channels_last_weights_come_back_with_their_strides():
    tensor = torch.arange(120.0).reshape(2, 3, 4, 5).to(memory_format=torch.channels_last)
    restored = round_trip(tensor)
    assert alike(restored, tensor)
    assert restored.stride() == tensor.stride() == (60, 1, 15, 3)


def test_a_transposed_tensor_of_a_rare_type_comes_back_with_its_strides():
    tensor = torch.arange(6.0).reshape(2, 3).to(torch.complex128).T
    restored = round_trip(tensor)
    assert alike(restored, tensor)
    assert restored.stride() == (1, 3)


def test_a_sliced_or_expanded_tensor_comes_back_contiguous():
    state = {"sliced": torch.arange(6)[::2], "expanded": torch.ones(1).expand(3)}
    restored = round_trip(state)
    assert alike(restored, state)
    assert restored["sliced"].stride() == restored["expanded"].stride() == (1,)


def test_a_conjugated_view_comes_back_with_its_values():
    tensor = torch.tensor([1 + 2j]).conj()
    assert round_trip(tensor).tolist() == [1 - 2j]


def test_tensors_that_share_memory_come_back_apart():
    tensor = torch.zeros(3)
    restored = round_trip({"a": tensor, "b": tensor, "c": tensor[1:]})
    restored["a"] += 1
    assert restored["b"].tolist() == [0, 0, 0]
    assert restored["c"].tolist() == [0, 0]


def test_parameters_come_back_as_tensors_without_gradient():
    restored = round_trip(torch.nn.Parameter(torch.ones(2)))
    assert type(restored) is torch.Tensor
    assert not restored.requires_grad


def test_states_of_modules_and_optimizers_fit_again():
    model = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.BatchNorm1d(2))
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.1)
    model(torch.eye(2)).sum().backward()
    optimizer.step()
    state = {"model": model.state_dict(), "optimizer": optimizer.state_dict()}
    restored = round_trip(state)
    assert alike(restored, {"model": dict(state["model"]), "optimizer": state["optimizer"]})
    model.load_state_dict(restored["model"])
    optimizer.load_state_dict(restored["optimizer"])


def test_mappings_come_back_as_dictionaries_in_their_order():
    assert alike(round_trip(OrderedDict([("b", 1), ("a", 2)])), {"b": 1, "a": 2})


def test_keys_with_dots_and_slashes_and_integers_are_kept_apart():
    state = {"a.b": {"c": torch.ones(1)}, "a": {"b.c": torch.zeros(1)}, "a/b": 1, 1: 2, "1": 3}
    assert alike(round_trip(state), state)


def test_keys_that_are_no_unicode_come_back():
    state = {"\ud800": torch.ones(1), "\n'": torch.zeros(1)}
    assert alike(round_trip(state), state)


def test_numpy_arrays_come_back_as_arrays_and_scalars_as_numbers():
    state = [np.arange(3.0), np.array(True), np.float64(0.5), np.int64(3), np.bool_(True)]
    restored = round_trip(state)
    assert alike(restored, [np.arange(3.0), np.array(True), 0.5, 3, True])


def test_an_array_in_foreign_byte_order_comes_back_in_native_order():
    assert alike(round_trip(np.array([1, 2], dtype=">i4")), np.array([1, 2], dtype="<i4"))


def test_tensors_are_named_by_their_place_in_the_state():
    tensors, plain = pack_state({"model": [torch.ones(1), torch.zeros(1)]})
    assert list(tensors) == ["0:['model'][0]", "1:['model'][1]"]
    assert plain == {
        "dict": [
            ["model", [{"tensor": {"name": name}} for name in ("0:['model'][0]", "1:['model'][1]")]]
        ]
    }


def test_tensors_go_to_the_asked_device_and_arrays_stay():
    restored = round_trip({"tensor": torch.ones(1), "array": np.ones(1)}, device="meta")
    assert restored["tensor"].device.type == "meta"
    assert alike(restored["array"], np.ones(1))


class Colour(IntEnum):
    RED = 1


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (b"x", f"state['a'][1]: bytes cannot be stored; {CAN}"),
        ({1}, f"state['a'][1]: set cannot be stored; {CAN}"),
        (Path("x"), f"state['a'][1]: pathlib.PosixPath cannot be stored; {CAN}"),
        (threading.Event(), f"state['a'][1]: threading.Event cannot be stored; {CAN}"),
        (Colour.RED, f"state['a'][1]: {__name__}.Colour cannot be stored; {CAN}"),
        (
            {("b", 1): 2},
            "state['a'][1]: key ('b', 1) is of type tuple; keys are text or integers",
        ),
        ({True: 2}, "state['a'][1]: key True is of type bool; keys are text or integers"),
        (
            np.array(["x"]),
            "state['a'][1]: an array of type <U1 cannot be stored; arrays of numbers can",
        ),
        (
            np.array([None]),
            "state['a'][1]: an array of type object cannot be stored; arrays of numbers can",
        ),
        (
            np.array([1], dtype=np.longdouble),
            "state['a'][1]: an array of type float128 cannot be stored; arrays of numbers can",
        ),
        (
            torch.eye(2).to_sparse(),
            "state['a'][1]: only dense tensors with values can be stored",
        ),
        (
            torch.empty(2, device="meta"),
            "state['a'][1]: only dense tensors with values can be stored",
        ),
        (
            torch.empty(2, dtype=torch.bits8),
            "state['a'][1]: tensors of type bits8 cannot be stored",
        ),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_cannot_be_stored_is_named_with_its_place(value, message):
    with pytest.raises(CheckpointError) as caught:
        pack_state({"a": (0, value)})
    assert str(caught.value) == message


def test_a_state_that_contains_itself_is_refused():
    state = []
    state.append(state)
    with pytest.raises(CheckpointError) as caught:
        pack_state(state)
    place = ("state" + 65 * "[0]")[:80]
    assert str(caught.value) == f"{place}...: is nested deeper than 64 levels"


def test_a_missing_tensor_is_named():
    _, plain = pack_state({"a": torch.ones(1)})
    with pytest.raises(CheckpointError) as caught:
        unpack_state({}, plain)
    assert str(caught.value) == "state: tensor '0:['a']' is missing"


def test_an_unknown_form_is_named():
    with pytest.raises(CheckpointError) as caught:
        unpack_state({}, {"set": [1]})
    assert str(caught.value) == "state: form 'set' is unknown; a newer cilsim wrote it"
