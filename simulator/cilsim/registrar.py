"""What registration hooks are handed: a function that checks each entry and stages it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cilsim.errors import PluginError
from cilsim.naming import did_you_mean
from cilsim.registry import Entry, Owner, Registry

if TYPE_CHECKING:  # options need pydantic, a third of the time of a command that lists names
    from cilsim.options import Options

_FACTS: Mapping[str, tuple[str, ...]] = {
    "strategies": ("check_options", "repeated_classes"),
    "calibrators": ("check_options",),
    "streams": ("check", "labelled", "new_classes"),
    "datasets": ("facts", "publication"),
    "backbones": ("accepts", "check", "normalisation", "weights"),
}
"""Facts that an entry may carry besides options, summary and aliases, by kind."""


_TARGET = r"[\w.]+:\w+"
"""What an entry that is imported late is given as."""


@dataclass
class Staged:
    """Entries of one plugin; added together or, if one is refused, not at all."""

    entries: list[tuple[Registry, Entry]] = field(default_factory=list)

    def add(self, registry: Registry, entry: Entry) -> None:
        """Stage an entry.

        Raises:
            PluginError: its name or an alias is taken.
        """
        registry.refuse_taken(entry)
        names = {entry.name, *entry.aliases}
        for other_registry, other in self.entries:
            if other_registry is registry and names & {other.name, *other.aliases}:
                name = min(names & {other.name, *other.aliases})
                raise PluginError(entry.owner.plugin, f"{entry.kind} '{name}' is registered twice")
        self.entries.append((registry, entry))

    def commit(self) -> None:
        """Register everything that was staged."""
        for registry, entry in self.entries:
            registry.add(entry)


def registrar(kind: str, registry: Registry, owner: Owner, staged: Staged) -> Any:
    """Return the `register` of one plugin's hook for entries of one kind."""

    def register(
        name: str,
        load: Any,
        *surplus: Any,
        options: type[Options] | str = "cilsim.options:Options",
        summary: str = "",
        aliases: Sequence[str] = (),
        serves: Sequence[str] = (),
        **facts: Any,
    ) -> None:
        _require_well_formed(registry.kind, owner, name, load, summary, surplus)
        _require_names(registry.kind, owner, name, {"aliases": aliases, "serves": serves})
        _require_options(registry.kind, owner, name, options)
        _require_facts(kind, registry.kind, owner, name, facts)
        entry = Entry(
            registry.kind, name, load, options, summary, owner,
            tuple(aliases), tuple(serves), dict(facts),
        )  # fmt: skip
        staged.add(registry, entry)

    return register


def _require_well_formed(
    kind: str, owner: Owner, name: Any, load: Any, summary: Any, surplus: Sequence[Any]
) -> None:
    """Raise the `PluginError` about an entry that nobody could list, name or load."""
    called = f"{kind} {name!r} is registered"
    if not isinstance(name, str) or not re.fullmatch(r"[\w.+-]+", name):
        complaint = f"a {kind} is registered as {name!r}, expected a name without spaces"
    elif not callable(load) and not (isinstance(load, str) and re.fullmatch(_TARGET, load)):
        complaint = f"{called} with {load!r}, expected a class, a function or 'package.module:name'"
    elif not isinstance(summary, str):
        complaint = f"{called} with the summary {summary!r}, expected text"
    elif surplus:
        complaint = f"{called} with {surplus[0]!r} in third place, expected options=, summary=, ..."
    else:
        return
    raise PluginError(owner.plugin, complaint)


def _require_names(kind: str, owner: Owner, name: str, given: Mapping[str, Any]) -> None:
    """Raise the `PluginError` about anything but tuples or lists of text."""
    for argument, names in given.items():
        if isinstance(names, str) or not all(isinstance(other, str) for other in names):
            raise PluginError(
                owner.plugin,
                f"{kind} {name!r} is registered with {argument}={names!r}, expected a tuple of "
                "names",
            )


def _require_options(kind: str, owner: Owner, name: str, options: Any) -> None:
    if isinstance(options, str) and re.fullmatch(_TARGET, options):
        return
    from cilsim.options import Options

    if not (isinstance(options, type) and issubclass(options, Options)):
        raise PluginError(
            owner.plugin,
            f"{kind} '{name}' is registered with options of another kind: {options!r}; "
            "expected a subclass of cilsim.Options, or 'package.module:name' of one",
        )


def _require_facts(
    registered_by: str, kind: str, owner: Owner, name: str, facts: Mapping[str, Any]
) -> None:
    """Raise the `PluginError` about a fact that is unknown, missing or of another kind."""
    called, known = f"{kind} '{name}' is registered", _FACTS.get(registered_by, ())
    unknown = next((fact for fact in facts if fact not in known), None)
    check_options, accepts = facts.get("check_options", {}), facts.get("accepts")
    if unknown is not None:
        nearest = did_you_mean(unknown, ("options", "summary", "aliases", "serves", *known))
        complaint = f"{called} with the unknown argument '{unknown}'{nearest}"
    elif not isinstance(check_options, Mapping):
        complaint = f"{called} with check_options={check_options!r}, expected a mapping"
    elif accepts not in (None, "images", "features"):
        complaint = f"{called} with accepts={accepts!r}, expected 'images', 'features' or None"
    elif "facts" in known and facts.get("facts") is None:
        complaint = (
            f"{called} without 'facts', expected facts=function: what is known of the data "
            "without reading a sample"
        )
    else:
        return
    raise PluginError(owner.plugin, complaint)
