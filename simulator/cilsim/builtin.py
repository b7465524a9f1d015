"""What the core itself registers, through the same hooks as any plugin."""

from __future__ import annotations

from collections.abc import Iterable

from cilsim.backbones.builtin import BACKBONES
from cilsim.data.builtin import DATASETS
from cilsim.hookspecs import hookimpl
from cilsim.registry import Register
from cilsim.streams.builtin import STREAMS

cilsim_api = 1


@hookimpl
def cilsim_register_streams(register: Register) -> None:
    """Register the built-in stream kinds."""
    _register_all(register, STREAMS)


@hookimpl
def cilsim_register_datasets(register: Register) -> None:
    """Register the built-in data sets."""
    _register_all(register, DATASETS)


@hookimpl
def cilsim_register_backbones(register: Register) -> None:
    """Register the built-in backbones."""
    _register_all(register, BACKBONES)


def _register_all(register: Register, declarations: Iterable[object]) -> None:
    """Register what declares, field by field, what `register` takes."""
    for declaration in declarations:
        register(**vars(declaration))
