"""cilsim: one engine that streams experiences past any continual-learning strategy.

Importing this package is cheap: nothing heavy is imported until a name that needs it is used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from cilsim.hookspecs import hookimpl
from cilsim.options import Options

if TYPE_CHECKING:
    from cilsim.strategy import Calibrator, Context, Experience, Strategy

__version__ = "0.1.0"
__all__ = ["Calibrator", "Context", "Experience", "Options", "Strategy", "hookimpl"]

_NEEDS_TORCH = frozenset({"Calibrator", "Context", "Experience", "Strategy"})


def __getattr__(name: str) -> Any:
    if name in _NEEDS_TORCH:
        return getattr(import_module("cilsim.strategy"), name)
    raise AttributeError(f"module 'cilsim' has no attribute '{name}'")
