"""Finding plugins, registering what they bring, and telling who is to blame when one fails.

Discovery is ours because pluggy's loader skips a second plugin of a taken name without a word and
does not name one that fails to import. There is no global manager: it is passed.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint, PackageNotFoundError, entry_points, version
from types import TracebackType
from typing import Any

import pluggy

from cilsim import builtin, hookspecs
from cilsim.errors import PluginError
from cilsim.naming import did_you_mean
from cilsim.options import Options
from cilsim.registry import Entry, Owner, Registries, Registry

GROUP = "cilsim"
"""The entry-point group; each entry names a module (or object) with hook implementations."""

SWITCH = "CILSIM_PLUGINS"
"""Environment variable: unset loads every plugin, `none` loads none, `a,b` loads those two."""


@dataclass(frozen=True)
class Plugin:
    """An installed plugin: loaded, or broken with the reason."""

    name: str
    module: str
    owner: Owner
    implementation: Any = None
    error: str = ""
    hooks: tuple[str, ...] = ()


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

    def run_manager(self) -> pluggy.PluginManager:
        """Return a fresh manager for one run, with every loaded plugin registered on it."""
        manager = new_manager()
        for plugin in self.loaded:
            manager.register(plugin.implementation, plugin.name)
        return manager

    def owner_of(self, error: BaseException) -> Plugin | None:
        """Return the plugin whose code raised `error`, judged by the innermost frame, if any."""
        return blame(error.__traceback__, self.loaded)


def cilsim_version() -> str:
    """Return the version of the installed cilsim."""
    try:
        return version("cilsim")
    except PackageNotFoundError:  # a source tree on the path that was never installed
        return "not installed"


def new_manager() -> pluggy.PluginManager:
    """Return a manager that knows cilsim's hooks and has no plugin."""
    manager = pluggy.PluginManager(hookspecs.PROJECT)
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
        plugin = candidate if candidate.error else _register(candidate, manager, registries, loaded)
        (broken if plugin.error else loaded).append(plugin)
    return Plugins(manager, registries, tuple(loaded), tuple(broken))


def blame(trace: TracebackType | None, plugins: Sequence[Plugin]) -> Plugin | None:
    """Return the plugin that owns the innermost frame that belongs to any plugin."""
    by_package = {plugin.module.partition(".")[0]: plugin for plugin in plugins}
    by_package.pop("cilsim", None)  # the engine's frames are on every trace
    guilty = None
    while trace is not None:
        package = str(trace.tb_frame.f_globals.get("__name__", "")).partition(".")[0]
        guilty = by_package.get(package, guilty)
        trace = trace.tb_next
    return guilty


def _core() -> Plugin:
    owner = Owner(plugin="cilsim", distribution="cilsim", version=cilsim_version())
    return Plugin("cilsim", builtin.__name__, owner, builtin)


def _installed() -> list[Plugin]:
    found = sorted(entry_points(group=GROUP), key=_built_ins_first)
    chosen = _chosen(os.environ.get(SWITCH), {point.name for point in found})
    return [_import(point) for point in found if chosen is None or point.name in chosen]


def _built_ins_first(point: EntryPoint) -> tuple[bool, str]:
    return (_owner(point).distribution != "cilsim", point.name)


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
    distribution = point.dist
    return Owner(
        plugin=point.name,
        distribution=distribution.name if distribution else "unknown distribution",
        version=distribution.version if distribution else "",
    )


def _import(point: EntryPoint) -> Plugin:
    try:
        implementation = point.load()
    except Exception as error:  # whatever a stranger's module does, the others must go on
        reason = f"importing '{point.value}' fails: {type(error).__name__}: {error}"
        return Plugin(point.name, point.module, _owner(point), error=reason)
    return Plugin(point.name, point.module, _owner(point), implementation)


def _direct(name: str, thing: Any) -> Plugin:
    module = getattr(thing, "__name__", type(thing).__module__)
    return Plugin(name, module, Owner(name, "this process", ""), thing)


def _register(
    plugin: Plugin, manager: pluggy.PluginManager, registries: Registries, loaded: Sequence[Plugin]
) -> Plugin:
    """Register hooks and entries of `plugin`, or return it with the reason why not."""
    try:
        _check_api(plugin)
        _check_name(plugin, loaded)
        hooks = _register_hooks(plugin, manager)
        register_entries(plugin.implementation, plugin.owner, registries)
    except (PluginError, pluggy.PluginValidationError) as error:
        _forget(manager, plugin.name)
        return _broken(plugin, _first_line(error))
    except Exception as error:  # a registration hook of a stranger may raise anything
        _forget(manager, plugin.name)
        return _broken(plugin, f"registering fails: {type(error).__name__}: {error}")
    return Plugin(plugin.name, plugin.module, plugin.owner, plugin.implementation, hooks=hooks)


def _broken(plugin: Plugin, reason: str) -> Plugin:
    return Plugin(plugin.name, plugin.module, plugin.owner, plugin.implementation, error=reason)


def _forget(manager: pluggy.PluginManager, name: str) -> None:
    if manager.has_plugin(name):
        manager.unregister(name=name)


def _first_line(error: Exception) -> str:
    return " ".join(line.strip() for line in str(error).splitlines())


def _check_api(plugin: Plugin) -> None:
    declared = getattr(plugin.implementation, "cilsim_api", None)
    if declared is None:
        raise PluginError(
            plugin.name,
            "it does not declare the interface that it was written for; "
            f"add `cilsim_api = {hookspecs.API_VERSION}` to '{plugin.module}'",
        )
    if declared != hookspecs.API_VERSION:
        raise PluginError(
            plugin.name,
            f"it was written for interface {declared}, "
            f"this cilsim has interface {hookspecs.API_VERSION}",
        )


def _check_name(plugin: Plugin, loaded: Sequence[Plugin]) -> None:
    for other in loaded:
        if other.name == plugin.name:
            raise PluginError(plugin.name, f"the plugin name is taken by {other.owner}")


def _register_hooks(plugin: Plugin, manager: pluggy.PluginManager) -> tuple[str, ...]:
    _check_hook_names(plugin)
    manager.register(plugin.implementation, plugin.name)
    callers = manager.get_hookcallers(manager.get_plugin(plugin.name)) or []
    return tuple(sorted(caller.name for caller in callers))


def _check_hook_names(plugin: Plugin) -> None:
    """Refuse a misspelt hook before it is registered: pluggy would wait for a specification."""
    known = [name for name in vars(hookspecs) if name.startswith("cilsim_")]
    for name in dir(plugin.implementation):
        if hasattr(getattr(plugin.implementation, name, None), "cilsim_impl") and name not in known:
            raise PluginError(plugin.name, f"there is no hook '{name}'{did_you_mean(name, known)}")


_FACTS: Mapping[str, tuple[str, ...]] = {
    "streams": ("check", "labelled"),
    "datasets": ("facts",),
    "backbones": ("accepts",),
}


def register_entries(implementation: Any, owner: Owner, registries: Registries) -> None:
    """Call the registration hooks of one plugin, so that each entry knows its owner."""
    staged = _Staged()
    for kind in vars(registries):
        hook = getattr(implementation, f"cilsim_register_{kind}", None)
        if hook is not None:
            hook(register=_registrar(kind, getattr(registries, kind), owner, staged))
    staged.commit()


@dataclass
class _Staged:
    """Entries of one plugin; added together or, if one is refused, not at all."""

    entries: list[tuple[Registry, Entry]] = field(default_factory=list)

    def commit(self) -> None:
        for registry, entry in self.entries:
            registry.refuse_taken(entry)
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
        entry = Entry(
            registry.kind, name, load, options, summary, owner,
            tuple(aliases), tuple(serves), dict(facts),
        )  # fmt: skip
        staged.entries.append((registry, entry))

    return register
