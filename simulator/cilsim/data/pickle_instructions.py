"""The instructions of a pickle that plain data need, one method each; all others are refused.

Source: the table of opcodes in Python's own `pickletools`.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any, ClassVar


class PickleRefused(ValueError):
    """A pickle is damaged or holds more than plain data."""


_MARK = object()
_STOPPED = object()
Operation = Callable[["Instructions"], object]


class Instructions:
    """Runs a pickle: a stack, and a memory of what comes again. Subclasses say what names mean."""

    table: ClassVar[dict[bytes, Operation]] = {}

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._place = 0
        self._stack: list[Any] = []
        self._memory: dict[int, Any] = {}

    def run(self) -> Any:
        """Return what the pickle leaves behind.

        Raises:
            PickleRefused: it cannot be run to its end.
        """
        try:
            while True:
                code = self.take(1)
                operation = self.table.get(code)
                if operation is None:
                    raise PickleRefused(f"it has the instruction {code!r}")
                if operation(self) is _STOPPED:
                    return self._stack.pop()
        except (
            IndexError,
            KeyError,
            AttributeError,
            TypeError,
            UnicodeError,
            struct.error,
        ) as error:
            raise PickleRefused(f"it is damaged ({type(error).__name__})") from error

    def named(self, module: str, name: str) -> Any:
        """Return what stands for something that the pickle refers to."""
        raise PickleRefused(f"it refers to '{module}.{name}'")

    def called(self, name: Any, arguments: Any) -> Any:
        """Return what stands for the result of a call."""
        raise PickleRefused("it calls something")

    def built(self, found: Any, state: Any) -> None:
        """Take the state of something made before."""
        raise PickleRefused("it sets a state")

    def key(self, entry: Any) -> Any:
        """Return a key of a dictionary, or refuse it."""
        return entry

    # --- reading the file

    def take(self, count: int) -> bytes:
        """Return the next bytes."""
        found = self._content[self._place : self._place + count]
        if count < 0 or len(found) != count:
            raise PickleRefused("it is truncated")
        self._place += count
        return found

    def number(self, form: str) -> int:
        """Return the next number, of a form of `struct`."""
        (found,) = struct.unpack(form, self.take(struct.calcsize(form)))
        return int(found)

    def line(self) -> str:
        """Return the text up to the next line break."""
        end = self._content.index(b"\n", self._place) if self._has_line() else -1
        found = self.take(end - self._place).decode("utf-8")
        self._place += 1
        return found

    def _has_line(self) -> bool:
        return self._content.find(b"\n", self._place, self._place + 1000) >= 0

    # --- the stack

    def push(self, entry: Any) -> None:
        """Put a value on the stack."""
        self._stack.append(entry)

    def pop_to_mark(self) -> list[Any]:
        """Return all above the last mark."""
        place = len(self._stack) - 1
        while self._stack[place] is not _MARK:
            place -= 1
            if place < 0:
                raise PickleRefused("it is damaged (no mark)")
        found = self._stack[place + 1 :]
        del self._stack[place:]
        return found

    def pop_tuple(self, count: int) -> None:
        """Make a tuple of the last values."""
        if len(self._stack) < count:
            raise PickleRefused("it is damaged (an empty stack)")
        found = tuple(self._stack[len(self._stack) - count :])
        del self._stack[len(self._stack) - count :]
        self.push(found)

    def extend(self, entries: list[Any]) -> None:
        """Put values into the list on the stack."""
        if type(self._stack[-1]) is not list:
            raise PickleRefused("it is damaged (no list)")
        self._stack[-1].extend(entries)

    def fill(self, entries: list[Any]) -> None:
        """Put keys and values into the dictionary on the stack."""
        if type(self._stack[-1]) is not dict:
            raise PickleRefused("it is damaged (no dictionary)")
        for key, value in zip(entries[::2], entries[1::2], strict=False):
            self._stack[-1][self.key(key)] = value

    # --- memory and names

    def remember(self, place: int) -> None:
        """Keep the last value under a number."""
        self._memory[place] = self._stack[-1]

    def name_on_stack(self) -> None:
        """Replace two texts by what they name."""
        name, module = self._stack.pop(), self._stack.pop()
        if not isinstance(name, str) or not isinstance(module, str):
            raise PickleRefused("it is damaged (a name that is no text)")
        self.push(self.named(module[:100], name[:100]))

    def call(self) -> None:
        """Replace a name and its arguments by the result."""
        arguments, name = self._stack.pop(), self._stack.pop()
        self.push(self.called(name, arguments))

    def build(self) -> None:
        """Give a state to what is below it."""
        state = self._stack.pop()
        self.built(self._stack[-1], state)


def _sized(form: str, text: bool = False) -> Operation:
    def operation(machine: Instructions) -> None:
        found = machine.take(machine.number(form))
        machine.push(found.decode("utf-8", "surrogatepass") if text else found)

    return operation


def _fixed(form: str) -> Operation:
    return lambda machine: machine.push(machine.number(form))


def _constant(value: Any) -> Operation:
    return lambda machine: machine.push(value)


def _real(machine: Instructions) -> None:
    machine.push(struct.unpack(">d", machine.take(8))[0])


def _long(machine: Instructions) -> None:
    machine.push(int.from_bytes(machine.take(machine.number("B")), "little", signed=True))


Instructions.table.update(
    {
        b"\x80": lambda machine: machine.take(1),
        b"\x95": lambda machine: machine.take(8),
        b".": lambda machine: _STOPPED,
        b"(": _constant(_MARK),
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
        b"a": lambda machine: machine.extend([machine._stack.pop()]),
        b"e": lambda machine: machine.extend(machine.pop_to_mark()),
        b"s": lambda machine: machine.fill([machine._stack.pop(), machine._stack.pop()][::-1]),
        b"u": lambda machine: machine.fill(machine.pop_to_mark()),
        b"q": lambda machine: machine.remember(machine.number("B")),
        b"r": lambda machine: machine.remember(machine.number("<I")),
        b"\x94": lambda machine: machine.remember(len(machine._memory)),
        b"h": lambda machine: machine.push(machine._memory[machine.number("B")]),
        b"j": lambda machine: machine.push(machine._memory[machine.number("<I")]),
        b"c": lambda machine: machine.push(machine.named(machine.line(), machine.line())),
        b"\x93": lambda machine: machine.name_on_stack(),
        b"R": lambda machine: machine.call(),
        b"b": lambda machine: machine.build(),
    }
)
