"""A plugin's hooks as a run calls them: each guarded, so that a failure names plugin and hook."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Generator, Mapping
from types import SimpleNamespace
from typing import Any

from cilsim.hookspecs import PROJECT
from cilsim.registry import Owner
from cilsim.runner.guard import Check, Guard

logger = logging.getLogger(__name__)

_MARK = f"{PROJECT}_impl"
_LEARNING = frozenset({"cilsim_train_experience"})
"""Hooks whose work may take hours; whoever waits sees the progress of trainings."""


def guarded_hooks(
    implementation: Any, owner: Owner, guard: Guard, checks: Mapping[str, Check], of: str = ""
) -> SimpleNamespace:
    """Return an object with the hooks of `implementation`, each guarded.

    Args:
        implementation: a plugin, or a strategy with hooks of its own.
        owner: whose it is.
        guard: of the run.
        checks: what must be true of results, by hook.
        of: added to the hook's name in messages, such as ` of strategy 'teen'`.
    """
    hooks = SimpleNamespace()
    for attribute in dir(implementation):
        if isinstance(getattr(type(implementation), attribute, None), property):
            continue  # no hook, and perhaps not ready to be read
        function = getattr(implementation, attribute, None)
        mark = getattr(function, _MARK, None)
        if isinstance(mark, dict) and callable(function):
            name = mark.get("specname") or attribute
            wraps = mark["wrapper"] or mark["hookwrapper"]
            check = None if mark["hookwrapper"] else checks.get(name)  # those return no result
            guarded = (_guarded_wrapper if wraps else _guarded)(
                function, owner, f"{name}{of}", guard, check
            )
            setattr(hooks, attribute, guarded)
    return hooks


def _guarded(
    function: Any, owner: Owner, what: str, guard: Guard, check: Check | None
) -> Callable[..., Any]:
    """Return a hook that may also return None, which leaves the answer to others."""
    name = what.partition(" ")[0]
    answer = None if check is None else _or_none(check)
    guarded = guard.wrap(function, owner, what, answer, may_take_long=name in _LEARNING)
    return _last_words(guarded, guard) if name == "cilsim_on_run_error" else guarded


def _last_words(function: Callable[..., Any], guard: Guard) -> Callable[..., Any]:
    """Return a hook whose own failure hides neither the first one nor what others have to say."""

    @functools.wraps(function)
    def guarded(*arguments: Any) -> None:
        try:
            function(*arguments)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            logger.warning("%s", guard.named(error))

    return guarded


def _guarded_wrapper(
    function: Any, owner: Owner, what: str, guard: Guard, check: Check | None
) -> Callable[..., Generator[None, Any, Any]]:
    """Return a wrapper of a hook; what passes through it from inside is not its fault."""

    @functools.wraps(function)
    def guarded(*arguments: Any) -> Generator[None, Any, Any]:
        with guard.calling(owner, what):
            inner = function(*arguments)
        if not _advance(lambda: next(inner), owner, what, guard):
            raise guard.failure(owner, what, "it returned without a yield, expected exactly one")
        try:
            result = yield
        except BaseException as error:
            return _finished(inner, functools.partial(inner.throw, error), owner, what, guard)
        result = _finished(inner, functools.partial(inner.send, result), owner, what, guard)
        complaint = "" if check is None else check(result, arguments)
        if complaint:
            raise guard.failure(owner, what, complaint)
        return result

    return guarded


def _advance(step: Callable[[], Any], owner: Owner, what: str, guard: Guard) -> bool:
    """Go on to the next yield and return whether there was one."""
    try:
        with guard.calling(owner, what):
            step()
    except StopIteration:
        return False
    return True


def _finished(inner: Any, step: Callable[[], Any], owner: Owner, what: str, guard: Guard) -> Any:
    """Run a wrapper from its yield to its end and return its result."""
    try:
        with guard.calling(owner, what):
            step()
    except StopIteration as end:
        return end.value
    inner.close()
    raise guard.failure(owner, what, "it has a second yield, expected exactly one")


def _or_none(check: Check) -> Check:
    def checked(result: Any, arguments: tuple[Any, ...]) -> str:
        return "" if result is None else check(result, arguments)

    return checked
