"""Finding plugins, and telling who is to blame when one fails.

Discovery is ours because pluggy's loader skips a second plugin of a taken name without a word and
does not name one that fails to import. There is no global manager: it is passed.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import (
    Distribution,
    EntryPoint,
    PackageNotFoundError,
    entry_points,
    version,
)
from types import TracebackType
from typing import Any

import pluggy

from cilsim import builtin, hookspecs
from cilsim.errors import CilsimError, Interrupted, PluginError, ScenarioError, in_one_line
from cilsim.naming import did_you_mean
from cilsim.registration import Plugin, register
from cilsim.registry import Owner, Registries
from cilsim.tracing import TracedManager, trace_asked_for

GROUP = "cilsim"
"""The entry-point group; each entry names a module (or object) with hook implementations."""

SWITCH = "CILSIM_PLUGINS"
"""Environment variable: unset loads every plugin, `none` loads none, `a,b` loads those two."""


@dataclass(frozen=True)
class Plugins:
    """What discovery found: usable plugins, broken ones, and all that was registered."""

    manager: pluggy.PluginManager
    registries: Registries
    loaded: tuple[Plugin, ...]
    broken: tuple[Plugin, ...]

    def explain_broken(self) -> tuple[str, ...]:
        """Return one line per plugin that could not be used."""
        return tuple(
            f"plugin '{plugin.name}' of {plugin.owner} is not used: {plugin.error}"
            for plugin in self.broken
        )

    def owner_of(self, error: BaseException) -> Plugin | None:
        """Return the plugin whose code raised `error`, judged by the innermost frame, if any."""
        by_name = {plugin.name: plugin for plugin in self.loaded}
        packages = {_package(plugin.module): plugin for plugin in self.loaded}
        for registry in vars(self.registries).values():
            for entry in registry:
                owner = by_name.get(entry.owner.plugin)
                if owner is not None:
                    packages.setdefault(_package(_module_of(entry.target)), owner)
        packages.pop("cilsim", None)  # the engine's frames are on every trace
        return blame(error.__traceback__, packages)


def cilsim_version() -> str:
    """Return the version of the installed cilsim."""
    try:
        return version("cilsim")
    except PackageNotFoundError:  # a source tree on the path that was never installed
        return "not installed"


def new_manager() -> pluggy.PluginManager:
    """Return a manager that knows cilsim's hooks and has no plugin; it traces if asked to.

    Raises:
        CilsimError: the environment asks for a trace that cannot be had.
    """
    told = trace_asked_for()
    manager = (
        pluggy.PluginManager(hookspecs.PROJECT)
        if told is None
        else TracedManager(hookspecs.PROJECT, told)
    )
    manager.add_hookspecs(hookspecs)
    return manager


def discover(extra: Iterable[tuple[str, Any]] = ()) -> Plugins:
    """Load the installed plugins, then `extra` ones given as (name, module or object).

    A plugin that cannot be imported or registered is reported in `broken` and stops nothing.

    Raises:
        PluginError: the environment variable names a plugin that is not installed.
    """
    candidates = [_core(), *_installed(), *(_direct(name, thing) for name, thing in extra)]
    manager, registries = new_manager(), Registries()
    loaded: list[Plugin] = []
    broken: list[Plugin] = []
    for candidate in candidates:
        plugin = candidate if candidate.error else register(candidate, manager, registries, loaded)
        (broken if plugin.error else loaded).append(plugin)
    return Plugins(manager, registries, tuple(loaded), tuple(broken))


def blame(trace: TracebackType | None, packages: Mapping[str, Plugin]) -> Plugin | None:
    """Return the plugin that owns the innermost frame whose top-level package has an owner."""
    guilty = None
    while trace is not None:
        package = _package(str(trace.tb_frame.f_globals.get("__name__", "")))
        guilty = packages.get(package, guilty)
        trace = trace.tb_next
    return guilty


def raised_by_stranger(error: CilsimError, owner: Owner) -> bool:
    """Return whether the code of `owner`, a third party, raised one of cilsim's errors itself.

    Its text need not say whose it is. What the engine raises while a plugin's code is at work, and
    what plugins that come with cilsim raise, speaks of the user's scenario and data and says so;
    complaints about a line of the user's file stay as they are.
    """
    trace = error.__traceback__
    if owner.comes_with_cilsim or isinstance(error, Interrupted | ScenarioError):
        return False
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    module = "" if trace is None else str(trace.tb_frame.f_globals.get("__name__", ""))
    return _package(module) != "cilsim"


def _package(module: str) -> str:
    return module.partition(".")[0]


def _module_of(target: Any) -> str:
    return (
        target.partition(":")[0] if isinstance(target, str) else getattr(target, "__module__", "")
    )


def _core() -> Plugin:
    owner = Owner(plugin="cilsim", distribution="cilsim", version=cilsim_version())
    return Plugin("cilsim", builtin.__name__, owner, builtin)


def _installed() -> list[Plugin]:
    found = sorted(entry_points(group=GROUP), key=_built_ins_first)
    chosen = _chosen(os.environ.get(SWITCH), {point.name for point in found})
    return [_import(point) for point in found if chosen is None or point.name in chosen]


def _built_ins_first(point: EntryPoint) -> tuple[bool, str]:
    return (not _owner(point).comes_with_cilsim, point.name)


def _chosen(value: str | None, installed: set[str]) -> set[str] | None:
    if value is None:
        return None
    names = {name.strip() for name in value.split(",") if name.strip()} - {"none"}
    for name in sorted(names - installed):
        raise PluginError(
            name, f"{SWITCH}: no plugin is named '{name}'{did_you_mean(name, installed)}"
        )
    return names


def _owner(point: EntryPoint) -> Owner:
    if point.dist is None:
        return Owner(plugin=point.name, distribution="unknown distribution", version="")
    return Owner(point.name, *_name_and_version(point.dist))


@cache
def _name_and_version(distribution: Distribution) -> tuple[str, str]:
    """Return them; either reads all of what a distribution says of itself."""
    return distribution.name, distribution.version


def _import(point: EntryPoint) -> Plugin:
    try:
        implementation = point.load()
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # whatever a stranger's module does, others go on
        reason = f"importing '{point.value}' fails: {in_one_line(error)}"
        return Plugin(point.name, point.module, _owner(point), error=reason)
    return Plugin(point.name, point.module, _owner(point), implementation)


def _direct(name: str, thing: Any) -> Plugin:
    module = getattr(thing, "__name__", type(thing).__module__)
    return Plugin(name, module, Owner(name, "this process", ""), thing)
