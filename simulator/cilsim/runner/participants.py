"""Who takes part in a run: the plugins, the strategy and its calibrators, all behind the guard."""

from __future__ import annotations

from collections.abc import Sequence

import pluggy

from cilsim.plugins import Plugins, new_manager
from cilsim.registration import complaint_about_hooks
from cilsim.registry import Entry
from cilsim.runner.expectations import Expectations
from cilsim.runner.guard import Guard
from cilsim.runner.guarded_hooks import guarded_hooks
from cilsim.runner.guarded_strategy import guard_calibrator, guard_strategy, method_of
from cilsim.scenario.schema import StrategyChoice
from cilsim.strategy import Calibrator, Context, Strategy


def run_manager(plugins: Plugins, guard: Guard, expectations: Expectations) -> pluggy.PluginManager:
    """Return a fresh manager for one run, with the guarded hooks of every loaded plugin."""
    manager = new_manager()
    for plugin in plugins.loaded:
        hooks = guarded_hooks(plugin.implementation, plugin.owner, guard, expectations.of_hooks())
        manager.register(hooks, plugin.name)
    return manager


def make_strategy(entry: Entry, choice: StrategyChoice, context: Context, guard: Guard) -> Strategy:
    """Return a new strategy, bound to its context and set up.

    Raises:
        PluginFailed: what is made is not a strategy, or a hook of it is misspelt or unmarked.
    """
    what = method_of("__init__", entry)
    make = guard.wrap(entry.load(), entry.owner, what)
    made = make(choice.options, context)
    if not isinstance(made, Strategy):
        complaint = f"it is a {type(made).__name__}, expected a subclass of cilsim.Strategy"
        raise guard.failure(entry.owner, f"strategy '{choice.name}'", complaint)
    if "prototypes" not in vars(made):
        complaint = "expected that it calls super().__init__(options, context)"
        raise guard.failure(entry.owner, what, complaint)
    complaint = complaint_about_hooks(made)
    if complaint:
        raise guard.failure(entry.owner, f"strategy '{choice.name}'", complaint)
    guard_strategy(made, entry, guard, context.device)
    context.bind(made)
    made.setup()
    return made


def make_calibrators(
    plugins: Plugins, choice: StrategyChoice, guard: Guard, expectations: Expectations
) -> Sequence[Calibrator]:
    """Return the calibrators of a strategy, in the order in which they are applied.

    Raises:
        PluginFailed: what a plugin makes is not a calibrator.
    """
    made = []
    for calibrator in choice.calibrators:
        entry = plugins.registries.calibrators[calibrator.name]
        make = guard.wrap(entry.load(), entry.owner, method_of("__init__", entry))
        thing = make(calibrator.options, calibrator.name)
        if not isinstance(thing, Calibrator):
            complaint = f"it is a {type(thing).__name__}, expected a subclass of cilsim.Calibrator"
            raise guard.failure(entry.owner, f"calibrator '{calibrator.name}'", complaint)
        guard_calibrator(thing, entry, guard, expectations)
        made.append(thing)
    return made
