"""The instructions of a pickle that plain data need; all others are refused.

Source: the table of opcodes in Python's own `pickletools`.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

from cilsim.data.pickle_machine import PickleMachine, PickleRefused

Operation = Callable[[PickleMachine], object]
_STOPPED = object()


def run(machine: PickleMachine) -> Any:
    """Return what the pickle of a machine leaves behind.

    Raises:
        PickleRefused: it cannot be run to its end.
    """
    try:
        while True:
            code = machine.take(1)
            operation = _OPERATIONS.get(code)
            if operation is None:
                raise PickleRefused(f"it has the instruction {code!r}")
            if operation(machine) is _STOPPED:
                return machine.pop()
    except (
        IndexError,
        KeyError,
        AttributeError,
        TypeError,
        UnicodeError,
        struct.error,
    ) as error:
        raise PickleRefused(f"it is damaged ({type(error).__name__})") from error


def _sized(form: str, text: bool = False) -> Operation:
    def operation(machine: PickleMachine) -> None:
        found = machine.take(machine.number(form))
        machine.push(found.decode("utf-8", "surrogatepass") if text else found)

    return operation


def _fixed(form: str) -> Operation:
    return lambda machine: machine.push(machine.number(form))


def _constant(value: Any) -> Operation:
    return lambda machine: machine.push(value)


def _real(machine: PickleMachine) -> None:
    machine.push(struct.unpack(">d", machine.take(8))[0])


def _long(machine: PickleMachine) -> None:
    machine.push(int.from_bytes(machine.take(machine.number("B")), "little", signed=True))


_OPERATIONS: dict[bytes, Operation] = {
    b"\x80": lambda machine: machine.take(1),
    b"\x95": lambda machine: machine.take(8),
    b".": lambda machine: _STOPPED,
    b"(": lambda machine: machine.mark(),
    b"N": _constant(None),
    b"\x88": _constant(True),
    b"\x89": _constant(False),
    b"]": lambda machine: machine.push([]),
    b"}": lambda machine: machine.push({}),
    b")": _constant(()),
    b"J": _fixed("<i"),
    b"K": _fixed("B"),
    b"M": _fixed("<H"),
    b"G": _real,
    b"\x8a": _long,
    b"U": _sized("B"),
    b"T": _sized("<i"),
    b"C": _sized("B"),
    b"B": _sized("<I"),
    b"\x8e": _sized("<Q"),
    b"X": _sized("<I", text=True),
    b"\x8c": _sized("B", text=True),
    b"\x8d": _sized("<Q", text=True),
    b"t": lambda machine: machine.push(tuple(machine.pop_to_mark())),
    b"l": lambda machine: machine.push(machine.pop_to_mark()),
    b"\x85": lambda machine: machine.pop_tuple(1),
    b"\x86": lambda machine: machine.pop_tuple(2),
    b"\x87": lambda machine: machine.pop_tuple(3),
    b"a": lambda machine: machine.extend([machine.pop()]),
    b"e": lambda machine: machine.extend(machine.pop_to_mark()),
    b"s": lambda machine: machine.fill([machine.pop(), machine.pop()][::-1]),
    b"u": lambda machine: machine.fill(machine.pop_to_mark()),
    b"q": lambda machine: machine.remember(machine.number("B")),
    b"r": lambda machine: machine.remember(machine.number("<I")),
    b"\x94": lambda machine: machine.remember(),
    b"h": lambda machine: machine.recall(machine.number("B")),
    b"j": lambda machine: machine.recall(machine.number("<I")),
    b"c": lambda machine: machine.push(machine.named(machine.line(), machine.line())),
    b"\x93": lambda machine: machine.name_on_stack(),
    b"R": lambda machine: machine.call(),
    b"b": lambda machine: machine.build(),
}
