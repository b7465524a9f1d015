"""cilsim: one engine that streams experiences past any continual-learning strategy.

Importing this package is cheap: nothing heavy is imported until a name that needs it is used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cilsim.hookspecs import hookimpl
    from cilsim.options import Options
    from cilsim.runner.from_python import run
    from cilsim.strategy import (
        Batch,
        Calibrator,
        Context,
        Experience,
        FeatureSet,
        PlainClassifier,
        PrototypeTable,
        Strategy,
        TrainingLoss,
    )

__version__ = "0.1.0"
__all__ = [
    "Batch",
    "Calibrator",
    "Context",
    "Experience",
    "FeatureSet",
    "Options",
    "PlainClassifier",
    "PrototypeTable",
    "Strategy",
    "TrainingLoss",
    "hookimpl",
    "run",
]

_LATE = {
    **dict.fromkeys(__all__, "cilsim.strategy"),
    "Options": "cilsim.options",
    "hookimpl": "cilsim.hookspecs",
    "run": "cilsim.runner.from_python",
}
"""Public names and the modules that they are imported from when first asked for."""


def __getattr__(name: str) -> Any:
    if name in _LATE:
        return getattr(import_module(_LATE[name]), name)
    raise AttributeError(f"module 'cilsim' has no attribute '{name}'")
