"""Registering one plugin: what it must declare, its hooks, and the entries that it brings.

Whatever is wrong with a plugin becomes the `error` of its record; nothing here raises.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from inspect import signature
from typing import Any

import pluggy

from cilsim import hookspecs
from cilsim.errors import PluginError
from cilsim.naming import did_you_mean
from cilsim.options import Options
from cilsim.registry import Entry, Owner, Registries, Registry

_FACTS: Mapping[str, tuple[str, ...]] = {
    "strategies": ("repeated_classes",),
    "streams": ("check", "labelled", "new_classes"),
    "datasets": ("facts",),
    "backbones": ("accepts", "check", "normalisation", "weights"),
}
"""Facts that an entry may carry besides options, summary and aliases, by kind."""


@dataclass(frozen=True)
class Plugin:
    """An installed plugin: loaded, or broken with the reason."""

    name: str
    module: str
    owner: Owner
    implementation: Any = None
    error: str = ""
    hooks: tuple[str, ...] = ()


def register(
    plugin: Plugin, manager: pluggy.PluginManager, registries: Registries, loaded: Sequence[Plugin]
) -> Plugin:
    """Register hooks and entries of `plugin`, or return it with the reason why not."""
    complaint = _complaint(plugin, loaded)
    if complaint:
        return replace(plugin, error=complaint)
    try:
        hooks = _register_hooks(plugin, manager)
        _register_entries(plugin, manager, registries)
    except (PluginError, pluggy.PluginValidationError) as error:
        _forget(plugin, manager)
        return replace(plugin, error=_one_line(error))
    except Exception as error:  # a registration hook of a stranger may raise anything
        _forget(plugin, manager)
        return replace(plugin, error=f"registering fails: {type(error).__name__}: {error}")
    return replace(plugin, hooks=hooks)


def _forget(plugin: Plugin, manager: pluggy.PluginManager) -> None:
    if manager.get_plugin(plugin.name) is plugin.implementation:
        manager.unregister(name=plugin.name)


def _one_line(error: Exception) -> str:
    return " ".join(line.strip() for line in str(error).splitlines())


def _complaint(plugin: Plugin, loaded: Sequence[Plugin]) -> str:
    """Return why a plugin cannot be registered at all, or nothing."""
    declared = getattr(plugin.implementation, "cilsim_api", None)
    if declared is None:
        return (
            "it does not declare the interface that it was written for; "
            f"add `cilsim_api = {hookspecs.API_VERSION}` to '{plugin.module}'"
        )
    if declared != hookspecs.API_VERSION:
        newer = isinstance(declared, int) and declared > hookspecs.API_VERSION
        return (
            f"it was written for interface {declared}, this cilsim has interface "
            f"{hookspecs.API_VERSION}; upgrade {'cilsim' if newer else 'the plugin'}"
        )
    taken_by = next((other.owner for other in loaded if other.name == plugin.name), None)
    if taken_by is not None:
        return f"the plugin name is taken by {taken_by}"
    return complaint_about_hooks(plugin.implementation)


def complaint_about_hooks(implementation: Any) -> str:
    """Return what pluggy would pass over in silence: a misspelt hook or a missing mark."""
    known = [name for name in vars(hookspecs) if name.startswith("cilsim_")]
    for attribute in dir(implementation):
        thing = getattr(implementation, attribute, None)
        mark = getattr(thing, f"{hookspecs.PROJECT}_impl", None)
        if mark is None and attribute in known and callable(thing):
            return f"'{attribute}' is not marked as a hook; put `@hookimpl` above it"
        name = attribute if mark is None else mark.get("specname") or attribute
        if mark is not None and name not in known:
            return f"there is no hook '{name}'{did_you_mean(name, known)}"
        if mark is not None and _unknown_argument(name, thing):
            return _unknown_argument(name, thing)
    return ""


def _unknown_argument(hook: str, implementation: Any) -> str:
    """Return which argument a hook does not have, or nothing; those with a default are its own."""
    known = list(signature(getattr(hookspecs, hook)).parameters)
    for argument in signature(implementation).parameters.values():
        own = argument.name == "self" or argument.default is not argument.empty
        if not own and argument.name not in known:
            nearest = did_you_mean(argument.name, known)
            return f"hook '{hook}' has no argument '{argument.name}'{nearest}"
    return ""


def _register_hooks(plugin: Plugin, manager: pluggy.PluginManager) -> tuple[str, ...]:
    manager.register(plugin.implementation, plugin.name)
    callers = manager.get_hookcallers(plugin.implementation) or []
    return tuple(sorted(caller.name for caller in callers))


def _register_entries(
    plugin: Plugin, manager: pluggy.PluginManager, registries: Registries
) -> None:
    """Call the registration hooks of one plugin, so that each entry knows its owner."""
    staged = _Staged()
    others = [other for other in manager.get_plugins() if other is not plugin.implementation]
    for kind in vars(registries):
        hook = manager.subset_hook_caller(f"cilsim_register_{kind}", others)
        hook(register=_registrar(kind, getattr(registries, kind), plugin.owner, staged))
    staged.commit()


@dataclass
class _Staged:
    """Entries of one plugin; added together or, if one is refused, not at all."""

    entries: list[tuple[Registry, Entry]] = field(default_factory=list)

    def add(self, registry: Registry, entry: Entry) -> None:
        registry.refuse_taken(entry)
        names = {entry.name, *entry.aliases}
        for other_registry, other in self.entries:
            if other_registry is registry and names & {other.name, *other.aliases}:
                name = min(names & {other.name, *other.aliases})
                raise PluginError(entry.owner.plugin, f"{entry.kind} '{name}' is registered twice")
        self.entries.append((registry, entry))

    def commit(self) -> None:
        for registry, entry in self.entries:
            registry.add(entry)


def _registrar(kind: str, registry: Registry, owner: Owner, staged: _Staged) -> Any:
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
        for fact in facts:
            if fact not in fact_names:
                known = ("options", "summary", "aliases", "serves", *fact_names)
                raise PluginError(
                    owner.plugin,
                    f"{registry.kind} '{name}' is registered with the unknown argument "
                    f"'{fact}'{did_you_mean(fact, known)}",
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
