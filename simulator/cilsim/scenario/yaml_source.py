"""Reads YAML into nodes with marks: plain data only, nothing that could surprise.

PyYAML turns the text into events; everything above that is here, because its loader takes the last
of two equal keys, reads `no` as false and `1e-3` as text, and follows anchors.
"""

from __future__ import annotations

from dataclasses import replace

import yaml

from cilsim.scenario.findings import Findings
from cilsim.scenario.nodes import Node
from cilsim.scenario.origin import Mark, Origin, abbreviate
from cilsim.scenario.scalars import Scalar, ScalarRefused, resolve
from cilsim.scenario.syntax import explain_syntax, mark_at

MOST_LEVELS = 50
MOST_VALUES = 10_000
"""Far more than a scenario has; more are refused within a second."""
MOST_CHARACTERS = 256 * 1024


TOO_LARGE = "larger than 256 KiB; a scenario is a small text"


class Unreadable(Exception):
    """The text cannot be read any further; the complaint is noted already."""


def parse(origin: Origin, findings: Findings, path: tuple[str, ...] = ()) -> Node | None:
    """Return the value that a YAML text holds, or None if it cannot be read.

    Args:
        origin: the text and its name.
        findings: receives every complaint.
        path: the path of the value; the keys in the text are put behind it.
    """
    if len(origin.text) > MOST_CHARACTERS:
        findings.refuse(mark_at(origin, MOST_CHARACTERS), ".".join(path), TOO_LARGE)
        return None
    reader = _Reader(origin, findings)
    try:
        root = reader.document(path)
    except Unreadable:
        return None
    finally:
        reader.dispose()
    return root


class _Reader:
    """Builds nodes from the events of one text."""

    def __init__(self, origin: Origin, findings: Findings) -> None:
        self.origin = origin
        self.findings = findings
        self.count = 0
        self.loader: yaml.SafeLoader | None = None

    def dispose(self) -> None:
        if self.loader is not None:
            self.loader.dispose()

    def document(self, path: tuple[str, ...]) -> Node:
        """Return the only document; an empty text holds null."""
        self.next()  # the stream starts
        event = self.next()
        if isinstance(event, yaml.StreamEndEvent):
            return Node(None, path, Mark(self.origin))
        root = self.value(self.next(), path, None, 0)
        self.next()  # the document ends
        event = self.next()
        if not isinstance(event, yaml.StreamEndEvent):
            self.stop(self.mark(event), "", "a second document begins; a scenario is one document")
        return root

    def next(self) -> yaml.Event:
        """Return the next event, or stop at what is not YAML."""
        try:
            if self.loader is None:
                self.loader = yaml.SafeLoader(self.origin.text)
            event: yaml.Event = self.loader.get_event()  # type: ignore[no-untyped-call]
        except Exception as error:  # besides its own errors PyYAML lets ValueError and others out
            mark, message = explain_syntax(error, self.origin, self.position())
            self.findings.refuse(mark, "", message)
            raise Unreadable from error
        return event

    def position(self) -> Mark:
        """Return how far PyYAML has read."""
        if self.loader is None:
            return Mark(self.origin)
        place = self.loader.get_mark()
        return Mark(self.origin, place.line + 1, place.column + 1)

    def value(
        self, event: yaml.Event, path: tuple[str, ...], key_mark: Mark | None, level: int
    ) -> Node:
        """Return the node that begins with `event`."""
        mark = self.mark(event)
        self.count += 1
        if self.count > MOST_VALUES:
            self.stop(mark, "", f"more than {MOST_VALUES:,} values")
        if level > MOST_LEVELS:
            self.stop(mark, "", f"nested more than {MOST_LEVELS} levels deep")
        self.refuse_indirection(event, path, mark)
        if isinstance(event, yaml.ScalarEvent):
            return Node(self.scalar(event, path, mark), path, mark, key_mark, event.value)
        if isinstance(event, yaml.SequenceStartEvent):
            return Node(self.entries(path, level), path, mark, key_mark)
        if isinstance(event, yaml.MappingStartEvent):
            return Node(self.fields(path, level), path, mark, key_mark)
        return Node(None, path, mark, key_mark)  # an alias, refused above

    def entries(self, path: tuple[str, ...], level: int) -> tuple[Node, ...]:
        """Return the entries of a list."""
        nodes: list[Node] = []
        while not isinstance(event := self.next(), yaml.SequenceEndEvent):
            nodes.append(self.value(event, (*path, str(len(nodes))), None, level + 1))
        return tuple(nodes)

    def fields(self, path: tuple[str, ...], level: int) -> dict[str, Node]:
        """Return the values of a mapping by key."""
        fields: dict[str, Node] = {}
        while not isinstance(event := self.next(), yaml.MappingEndEvent):
            key = self.value(event, path, None, level + 1)
            name = key.value if isinstance(key.value, str) else ""
            value = self.value(self.next(), (*path, name), key.mark, level + 1)
            if self.usable(key, fields):
                fields[name] = value
        return fields

    def usable(self, key: Node, fields: dict[str, Node]) -> bool:
        """Return whether a key is text, no merge key and not given twice."""
        if not isinstance(key.value, str):
            self.findings.refuse(key.mark, key.dotted, f"keys must be text, found {key.found()}")
            return False
        if key.text == "<<":
            self.findings.refuse(key.mark, key.dotted, "merge keys ('<<') are not accepted")
            return False
        if key.value in fields:
            first = fields[key.value].section_mark
            path = replace(key, path=(*key.path, key.value)).dotted
            self.findings.refuse(key.mark, path, f"given twice, first {_place(first)}")
            return False
        return True

    def scalar(self, event: yaml.ScalarEvent, path: tuple[str, ...], mark: Mark) -> Scalar:
        """Return the value of a scalar, None if it is refused."""
        try:
            if event.style is None and event.implicit[0]:
                return resolve(event.value)
            return _text(event.value)
        except ScalarRefused as error:
            self.findings.refuse(mark, ".".join(path), str(error))
            return None

    def refuse_indirection(self, event: yaml.Event, path: tuple[str, ...], mark: Mark) -> None:
        """Complain about tags, anchors and aliases."""
        anchor, tag = getattr(event, "anchor", None), getattr(event, "tag", None)
        if anchor:
            alias = isinstance(event, yaml.AliasEvent)
            what = (
                f"aliases ('*{abbreviate(anchor)}')"
                if alias
                else f"anchors ('&{abbreviate(anchor)}')"
            )
        elif tag:
            what = f"tags ('{abbreviate(tag.replace('tag:yaml.org,2002:', '!!'))}')"
        else:
            return
        self.findings.refuse(mark, ".".join(path), f"{what} are not accepted")

    def mark(self, event: yaml.Event) -> Mark:
        """Return where an event begins."""
        place = event.start_mark
        return Mark(self.origin, place.line + 1, place.column + 1) if place else Mark(self.origin)

    def stop(self, mark: Mark, path: str, message: str) -> None:
        """Complain and read no further."""
        self.findings.refuse(mark, path, message)
        raise Unreadable


def _text(text: str) -> str:
    for character in text:
        if character == "\x00" or "\ud800" <= character <= "\udfff":
            raise ScalarRefused(f"the character U+{ord(character):04X} is not accepted")
    return text


def _place(mark: Mark) -> str:
    return f"on line {mark.line}" if mark.origin.rank == 0 else "before"
