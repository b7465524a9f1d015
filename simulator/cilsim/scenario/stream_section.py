"""Checks the section `stream`: its kind, the options of that kind, and the data set."""

from __future__ import annotations

from dataclasses import dataclass

from cilsim.naming import did_you_mean
from cilsim.options import Options
from cilsim.registry import Entry, Registries
from cilsim.scenario.lookup import Lookup
from cilsim.scenario.nodes import Node
from cilsim.scenario.schema import NamedChoice, StreamChoice

STREAM_KEYS = ("kind", "dataset")


@dataclass(frozen=True)
class CheckedStream:
    """The stream section, as far as it could be checked.

    Attributes:
        node: the section.
        entry: the stream kind, None if its name is unknown.
        options: the options of the kind, None if they are wrong.
        dataset: the data set with its options, None if something in it is wrong.
    """

    node: Node
    entry: Entry | None
    options: Options | None
    dataset: NamedChoice | None

    @property
    def choice(self) -> StreamChoice | None:
        """The stream, if all of it is right."""
        if self.entry is None or self.options is None or self.dataset is None:
            return None
        return StreamChoice(self.entry.name, self.options, self.dataset)


def check_stream(root: Node, registries: Registries, lookup: Lookup) -> CheckedStream | None:
    """Return the stream section of a scenario, or None if there is no usable one."""
    node = root.child("stream")
    if node is None or not node.is_mapping:
        return None  # the first stage has complained
    entry = lookup.entry(registries.streams, node, "kind")
    options = None if entry is None else lookup.options(entry, node, STREAM_KEYS)
    return CheckedStream(node, entry, options, _dataset(node, registries, lookup))


def _dataset(stream: Node, registries: Registries, lookup: Lookup) -> NamedChoice | None:
    named = stream.child("dataset")
    if named is not None:
        return lookup.choice(registries.datasets, named)
    known = did_you_mean("", registries.datasets.names())
    lookup.at_section(stream, f"'dataset' is missing: the data the stream is made of{known}")
    return None
