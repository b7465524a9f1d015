"""An Avalanche benchmark by name: one of its classics, or what somebody's function returns."""

from __future__ import annotations

import inspect
import socket
import threading
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import torch

from cilsim.avalanche_bridge.randomness import own_randomness
from cilsim.errors import DataError, in_one_line

HOME = "avalanche.benchmarks"


def named_benchmark(
    name: str, options: Mapping[str, Any], root: Path, *, download: bool = False
) -> Any:
    """Return a benchmark; what it draws depends on its name alone, so that every call is equal.

    Args:
        name: a function of `avalanche.benchmarks`, or `package.module:callable`.
        options: its keyword arguments.
        root: given as `dataset_root` to functions that have one, unless `options` do.
        download: whether it may use the network.

    Raises:
        DataError: there is no such function, it fails, or wants to download without leave.
    """
    function = _function(name)
    wanted = "dataset_root" in inspect.signature(function).parameters
    arguments = {"dataset_root": root, **options} if wanted else dict(options)
    refused: list[str] = []
    try:
        with warnings.catch_warnings(), own_randomness(torch.device("cpu"), "benchmark", name):
            warnings.simplefilter("ignore")
            with _network(allowed=download, refused=refused):
                return function(**arguments)
    except Exception as error:
        if refused:
            raise DataError(
                f"data set 'avalanche': {name} wants to download what is not in "
                f"{arguments.get('dataset_root', root)} - set 'download: true', or put it there"
            ) from error
        raise DataError(f"data set 'avalanche': {name} fails: {in_one_line(error)}") from error


def _function(name: str) -> Any:
    module_name, _, attribute = name.rpartition(":")
    try:
        return getattr(import_module(module_name or HOME), attribute)
    except (ImportError, AttributeError) as error:
        raise DataError(
            f"data set 'avalanche': '{name}' cannot be imported: {in_one_line(error)} - expected a "
            f"function of {HOME} such as SplitMNIST, or package.module:callable"
        ) from error


@contextmanager
def _network(*, allowed: bool, refused: list[str]) -> Iterator[None]:
    """Refuse connections of this thread inside the block, unless they are allowed.

    Avalanche's functions download on their own, and most cannot be told not to.
    """
    if allowed:
        yield
        return
    thread, connect, resolve = threading.get_ident(), socket.socket.connect, socket.getaddrinfo

    def guarded(function: Any) -> Any:
        def call(*arguments: Any, **keywords: Any) -> Any:
            if threading.get_ident() != thread:
                return function(*arguments, **keywords)
            refused.append(str(arguments[-1]))
            raise OSError("no network without 'download: true'")

        return call

    # attributes of a module and a class of Python's own: nothing finer covers every client
    socket.socket.connect, socket.getaddrinfo = guarded(connect), guarded(resolve)  # type: ignore[method-assign]
    try:
        yield
    finally:
        socket.socket.connect, socket.getaddrinfo = connect, resolve  # type: ignore[method-assign]
