"""The promises that `cilsim plugin check` tries, and the order in which it does."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory

from cilsim.errors import CilsimError
from cilsim.naming import did_you_mean
from cilsim.plugins import Plugins
from cilsim.registry import Entry, Registries
from cilsim.testing import run_promises
from cilsim.testing.method_promises import overrides_what_there_is
from cilsim.testing.option_promises import documents_its_options
from cilsim.testing.trial import Subject, Trial
from cilsim.testing.trial_streams import STREAMS
from cilsim.testing.verdicts import Promise, Verdict

CARRIER = "nmc"
"""The strategy over which calibrators and hooks are tried."""

RUNS = Promise(
    "runs",
    run_promises.runs,
    "run a scenario of your own with --debug to see the traceback",
    needs_run=False,
)
PROMISES = (
    RUNS,
    Promise(
        "shapes",
        run_promises.has_right_shapes,
        "scores() returns (B, K) with K = context.seen_classes, assign() returns (N,)",
    ),
    Promise(
        "equal seeds, equal files",
        run_promises.repeats_itself,
        "draw from self.context.generator(name) alone, and iterate over nothing unordered",
    ),
    Promise(
        "resumes",
        run_promises.resumes,
        "return all that changes from state_dict() and take it over in load_state_dict()",
    ),
    Promise(
        "declared memory",
        run_promises.declares_its_memory,
        "count every tensor that state_dict() returns in kept()",
    ),
    Promise(
        "plain state",
        run_promises.stores_plain_data,
        "state_dict() returns tensors, numbers, text, lists and dictionaries",
    ),
    Promise(
        "samples untouched",
        run_promises.leaves_its_samples,
        "work on a copy: experience.labelled.x.clone()",
    ),
    Promise(
        "nothing hidden",
        run_promises.learns_from_nothing_hidden,
        "learn from `experience` and `context` alone, not from files or globals",
    ),
    Promise(
        "single classes",
        run_promises.takes_single_classes,
        "a variance or a margin over one class has no value; handle new_classes == 1",
    ),
    Promise(
        "last batch of one",
        run_promises.takes_a_last_batch_of_one,
        "scores() may get a single sample: keep the first axis, take no statistics over it",
    ),
    Promise(
        "kinds served",
        run_promises.serves_what_it_says,
        "name in `serves=` only the kinds that it can learn",
    ),
    Promise(
        "methods known",
        overrides_what_there_is,
        "rename it, or begin the name of a method of your own with an underscore",
        needs_run=False,
    ),
    Promise(
        "options documented",
        documents_its_options,
        "give each a docstring below it, a default and, for numbers, Field(ge=..., le=...)",
        needs_run=False,
    ),
)


def subjects(name: str, plugins: Plugins) -> tuple[Subject, ...]:
    """Return what there is to check under the name of a plugin or of a strategy.

    Raises:
        CilsimError: nothing has that name, or there is nothing to check.
    """
    registries = plugins.registries
    found = _of_plugin(name, plugins) or _of_strategy(name, plugins) or _of_hooks(name, plugins)
    if found:
        return found
    loaded = [plugin.name for plugin in plugins.loaded]
    if name in loaded:
        raise CilsimError(
            f"plugin '{name}' has no strategy, no calibrator and no hook of a run; there is "
            "nothing to check"
        )
    for plugin in plugins.broken:
        if plugin.name == name:
            raise CilsimError(f"plugin '{name}' of {plugin.owner} is not used: {plugin.error}")
    known = {*loaded, *registries.strategies.names()} - {"cilsim"}
    raise CilsimError(f"no plugin or strategy is named '{name}'{did_you_mean(name, known)}")


class Checkup:
    """Tries the promises of one strategy or calibrator, in any order.

    Args:
        subject: what is checked.
        plugins: what is installed.
        folder: an empty folder for its runs.
    """

    def __init__(self, subject: Subject, plugins: Plugins, folder: Path) -> None:
        self._trial = Trial.create(folder, subject, plugins)

    @cached_property
    def _first(self) -> Verdict:
        return RUNS.judge(self._trial, runs=True)

    def judge(self, promise: Promise) -> Verdict:
        """Return the verdict on one promise."""
        if promise is RUNS:
            return self._first
        return promise.judge(self._trial, runs=self._first.state == "PASS")


def verdicts(subject: Subject, plugins: Plugins) -> Iterator[Verdict]:
    """Try every promise of one strategy or calibrator, in a temporary folder."""
    with TemporaryDirectory(prefix="cilsim-check-") as folder:
        checkup = Checkup(subject, plugins, Path(folder))
        for promise in PROMISES:
            yield checkup.judge(promise)


def _of_plugin(name: str, plugins: Plugins) -> tuple[Subject, ...]:
    registries = plugins.registries
    strategies = [
        _subject(entry, plugins) for entry in registries.strategies if entry.owner.plugin == name
    ]
    calibrators = [entry for entry in registries.calibrators if entry.owner.plugin == name]
    if calibrators:
        carrier = _carrier(registries)
        return (
            *strategies,
            *(Subject.of_calibrator(entry, carrier, plugins) for entry in calibrators),
        )
    return tuple(strategies)


def _of_strategy(name: str, plugins: Plugins) -> tuple[Subject, ...]:
    registry = plugins.registries.strategies
    return (_subject(registry[name], plugins),) if name in registry else ()


def _subject(entry: Entry, plugins: Plugins) -> Subject:
    subject = Subject.of_strategy(entry, plugins)
    if not subject.kinds:
        raise CilsimError(
            f"strategy '{entry.name}' serves {', '.join(entry.serves)}; it can be checked on "
            f"{', '.join(STREAMS)}"
        )
    return subject


def _of_hooks(name: str, plugins: Plugins) -> tuple[Subject, ...]:
    """Return the hooks of a plugin that has neither strategies nor calibrators."""
    return tuple(
        Subject.of_hooks(plugin, _carrier(plugins.registries), plugins)
        for plugin in plugins.loaded
        if plugin.name == name and any("_register_" not in hook for hook in plugin.hooks)
    )


def _carrier(registries: Registries) -> Entry:
    if CARRIER not in registries.strategies:
        raise CilsimError(
            f"calibrators and hooks are checked over '{CARRIER}', which is not loaded"
        )
    return registries.strategies[CARRIER]
