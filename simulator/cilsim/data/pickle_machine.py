"""What the instructions of a pickle work on: its bytes, a stack, and what comes again."""

from __future__ import annotations

import struct
from typing import Any


class PickleRefused(ValueError):
    """A pickle is damaged or holds more than plain data."""


_MARK = object()


class PickleMachine:
    """Holds what a pickle has made so far. Subclasses say what names mean."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._place = 0
        self._stack: list[Any] = []
        self._memory: dict[int, Any] = {}

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

    def pop(self) -> Any:
        """Take the last value off the stack."""
        return self._stack.pop()

    def mark(self) -> None:
        """Mark the place on the stack that `pop_to_mark` goes back to."""
        self.push(_MARK)

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

    def remember(self, place: int | None = None) -> None:
        """Keep the last value under a number, by default the next one."""
        self._memory[len(self._memory) if place is None else place] = self._stack[-1]

    def recall(self, place: int) -> None:
        """Put on the stack what is kept under a number."""
        self.push(self._memory[place])

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
