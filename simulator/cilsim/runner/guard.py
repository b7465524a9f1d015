"""Calling the code of plugins so that whatever it does wrong is told in one line that names it.

An error keeps its type on the way up, so that the engine can still react to it (less memory, a
smaller batch); who raised it is noted, and `named` puts it into words where the run ends.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeGuard

from cilsim.errors import CilsimError, PluginError, PluginFailed, in_one_line
from cilsim.plugins import raised_by_stranger
from cilsim.registry import Owner
from cilsim.runner.watch import Watch

Check = Callable[[Any, tuple[Any, ...]], str]
"""Takes what a function returned and its arguments; returns what is wrong with it, or nothing."""

Whose = Callable[[BaseException], Owner | None]
"""Takes an error; returns the third party in whose code it arose, if it was one's."""

_Found = tuple[BaseException, Owner, str]
"""An error, who raised it, and in what."""

_BLAME = "_cilsim_blame"
_DEEPEST = 20
"""Causes of causes that are looked at; a chain may go round in a circle."""


@dataclass
class Guard:
    """Knows which plugin's code is at work in one run, and in which experience.

    Attributes:
        experience: index of the experience that is under way, None before the first.
        watch: notes how long each call takes, or None.
    """

    experience: int | None = None
    watch: Watch | None = None

    def wrap(
        self,
        function: Any,
        owner: Owner,
        what: str,
        check: Check | None = None,
        *,
        may_take_long: bool = False,
    ) -> Callable[..., Any]:
        """Return a function that does the same and notes who is to blame if it fails.

        Args:
            function: a plugin's.
            owner: whose.
            what: how messages call it, such as `learn() of strategy 'teen'`.
            check: what must be true of its result.
            may_take_long: whether it is no news that it is still running.
        """

        @functools.wraps(function)
        def guarded(*arguments: Any, **keywords: Any) -> Any:
            with self.calling(owner, what, may_take_long=may_take_long):
                result = function(*arguments, **keywords)
            complaint = "" if check is None else check(result, arguments)
            if complaint:
                raise self.failure(owner, what, complaint)
            return result

        return guarded

    @contextmanager
    def calling(self, owner: Owner, what: str, *, may_take_long: bool = False) -> Iterator[None]:
        """Note that an error inside the block is that of `owner`, unless a deeper one knows."""
        watch = None if may_take_long else self.watch
        if watch is not None:
            watch.enter(f"plugin '{owner.plugin}' of {owner}: {what}")
        try:
            yield
        except BaseException as error:
            if self._who(error) is None:
                # on the error itself: a list of errors would keep alive what their frames hold
                vars(error)[_BLAME] = (self, owner, what)
            raise
        finally:
            if watch is not None:
                watch.leave()

    def failure(self, owner: Owner, what: str, complaint: str) -> PluginFailed:
        """Return the error that says what a plugin did wrong, and where."""
        when = "" if self.experience is None else f", experience {self.experience}"
        return PluginFailed(
            owner.plugin, f"plugin '{owner.plugin}' of {owner}: {what}{when}: {complaint}"
        )

    def named(self, error: BaseException, whose: Whose | None = None) -> CilsimError | None:
        """Return what to tell of an error, or None where no plugin is known to be at fault.

        Ctrl-C is nobody's fault. What the engine says of a scenario stays as it is; one of
        cilsim's errors that a third party raises itself is named like any other.

        Args:
            error: what ended the run.
            whose: tells of code that was called from a plugin's, such as that of a backbone.
        """
        found = None if isinstance(error, KeyboardInterrupt) else self._who(error)
        if found is None:
            return error if isinstance(error, CilsimError) else None
        guilty, owner, what = found
        inner = None if whose is None else whose(guilty)
        if inner is not None and inner.plugin != owner.plugin:
            owner, what = inner, f"called in {what}"
        if _speaks_for_itself(error, guilty, owner):
            return error
        return self.failure(owner, what, _complaint(guilty))

    def _who(self, error: BaseException) -> _Found | None:
        """Return the error itself or the one that it came from, and who raised it in this run."""
        inside: BaseException | None = error
        for _ in range(_DEEPEST):
            if inside is None:
                break
            guard, *found = vars(inside).get(_BLAME, (None,))
            if guard is self:
                owner, what = found
                return inside, owner, what
            inside = inside.__cause__
        return None


def _speaks_for_itself(
    error: BaseException, guilty: BaseException, owner: Owner
) -> TypeGuard[CilsimError]:
    """Return whether an error is one of cilsim's that says all there is to say."""
    if not isinstance(error, CilsimError) or isinstance(error, PluginError):
        return False
    return error is not guilty or not raised_by_stranger(error, owner)


def _complaint(error: BaseException) -> str:
    if isinstance(error, CilsimError):
        return " ".join(str(error).split())
    if isinstance(error, SystemExit):
        return f"it called sys.exit({'' if error.code is None else repr(error.code)})"
    return in_one_line(error)
