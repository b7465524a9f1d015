"""Turning whatever a plugin raises into one line that names it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from cilsim.errors import CilsimError, PluginFailed, in_one_line
from cilsim.plugins import Plugins
from cilsim.registry import Owner
from cilsim.runner.guard import Guard


@contextmanager
def plugins_named(plugins: Plugins, guard: Guard | None = None) -> Iterator[None]:
    """Raise `PluginFailed` naming plugin and distribution for any error in a plugin's code.

    What went through `guard` is named with its hook or method. Else the innermost frame tells,
    as for a module that a plugin made and the engine calls. Errors that the engine raises about a
    scenario pass unchanged, and so do Ctrl-C and errors in which no plugin had a part: those are
    bugs of the engine and keep their traceback.

    Raises:
        CilsimError: a plugin failed.
    """
    guard = guard or Guard()
    try:
        yield
    except BaseException as error:
        named = guard.named(error, lambda inner: _third_party(plugins, inner)) or _by_frames(
            plugins, error
        )
        if named is None or named is error:
            raise
        raise named from error


def _third_party(plugins: Plugins, error: BaseException) -> Owner | None:
    plugin = plugins.owner_of(error)
    return None if plugin is None or plugin.owner.comes_with_cilsim else plugin.owner


def _by_frames(plugins: Plugins, error: BaseException) -> CilsimError | None:
    guilty = None if isinstance(error, KeyboardInterrupt) else plugins.owner_of(error)
    if guilty is None:
        return None
    return PluginFailed(
        guilty.name, f"plugin '{guilty.name}' of {guilty.owner}: {in_one_line(error)}"
    )
