"""Turning whatever a plugin raises into one line that names it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from cilsim.errors import CilsimError, RunFailed
from cilsim.plugins import Plugins


@contextmanager
def plugins_named(plugins: Plugins) -> Iterator[None]:
    """Raise `RunFailed` naming plugin and distribution for any error raised in a plugin's code.

    Errors of cilsim pass unchanged, and so do errors in which no plugin had a part: those are
    bugs of the engine and keep their traceback.
    """
    try:
        yield
    except CilsimError:
        raise
    except Exception as error:
        guilty = plugins.owner_of(error)
        if guilty is None:
            raise
        raise RunFailed(
            f"plugin '{guilty.name}' of {guilty.owner}: {type(error).__name__}: {error}"
        ) from error
