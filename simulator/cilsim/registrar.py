"""What registration hooks are handed: a function that checks each entry and stages it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cilsim.errors import PluginError
from cilsim.naming import did_you_mean
from cilsim.options import Options
from cilsim.registry import Entry, Owner, Registry

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
    fact_names = _FACTS.get(kind, ())

    def register(
        name: str,
        load: Any,
        *,
        options: type[Options] = Options,
        summary: str = "",
        aliases: Sequence[str] = (),
        serves: Sequence[str] = (),
        **facts: Any,
    ) -> None:
        _require_well_formed(registry.kind, owner, name, load, summary, (*aliases, *serves))
        for fact in facts:
            if fact not in fact_names:
                known = ("options", "summary", "aliases", "serves", *fact_names)
                raise PluginError(
                    owner.plugin,
                    f"{registry.kind} '{name}' is registered with the unknown argument "
                    f"'{fact}'{did_you_mean(fact, known)}",
                )
        if not isinstance(facts.get("check_options", {}), Mapping):
            raise PluginError(
                owner.plugin,
                f"{registry.kind} '{name}' is registered with "
                f"check_options={facts['check_options']!r}, expected a mapping",
            )
        if not (isinstance(options, type) and issubclass(options, Options)):
            raise PluginError(
                owner.plugin,
                f"{registry.kind} '{name}' is registered with options of another kind: "
                f"{options!r}; expected a subclass of cilsim.Options",
            )
        entry = Entry(
            registry.kind, name, load, options, summary, owner,
            tuple(aliases), tuple(serves), dict(facts),
        )  # fmt: skip
        staged.add(registry, entry)

    return register


def _require_well_formed(
    kind: str, owner: Owner, name: Any, load: Any, summary: Any, names: Sequence[Any]
) -> None:
    """Raise the `PluginError` about an entry that nobody could list, name or load."""
    called = f"{kind} {name!r} is registered"
    if not isinstance(name, str) or not re.fullmatch(r"[\w.+-]+", name):
        complaint = f"a {kind} is registered as {name!r}, expected a name without spaces"
    elif not callable(load) and not (isinstance(load, str) and re.fullmatch(_TARGET, load)):
        complaint = f"{called} with {load!r}, expected a class, a function or 'package.module:name'"
    elif not isinstance(summary, str):
        complaint = f"{called} with the summary {summary!r}, expected text"
    elif not all(isinstance(other, str) for other in names):
        complaint = f"{called} with the names {tuple(names)!r}, expected text"
    else:
        return
    raise PluginError(owner.plugin, complaint)
