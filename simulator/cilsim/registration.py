"""Registering one plugin: what it must declare, its hooks, and the entries that it brings.

Whatever is wrong with a plugin becomes the `error` of its record; nothing here raises.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from inspect import signature
from typing import Any

import pluggy

from cilsim import hookspecs
from cilsim.errors import PluginError, in_one_line
from cilsim.naming import did_you_mean
from cilsim.registrar import Staged, registrar
from cilsim.registry import Owner, Registries


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
    try:
        complaint = _complaint(plugin, loaded)
        if complaint:
            return replace(plugin, error=complaint)
        hooks = _register_hooks(plugin, manager)
        _register_entries(plugin, manager, registries)
    except (PluginError, pluggy.PluginValidationError) as error:
        _forget(plugin, manager)
        return replace(plugin, error=_one_line(error))
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # a registration hook of a stranger may raise anything
        _forget(plugin, manager)
        return replace(plugin, error=f"registering fails: {in_one_line(error)}")
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
    if type(declared) is not int:
        return f"its cilsim_api is {declared!r}, expected the number {hookspecs.API_VERSION}"
    if declared != hookspecs.API_VERSION:
        newer = declared > hookspecs.API_VERSION
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
    staged = Staged()
    others = [other for other in manager.get_plugins() if other is not plugin.implementation]
    for kind in vars(registries):
        hook = manager.subset_hook_caller(f"cilsim_register_{kind}", others)
        hook(register=registrar(kind, getattr(registries, kind), plugin.owner, staged))
    staged.commit()
