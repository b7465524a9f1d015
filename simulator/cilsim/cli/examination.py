"""What `doctor` looks at."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from cilsim import __version__
from cilsim.cli.future_folders import nearest_existing, why_unwritable
from cilsim.data.places import cache_root, data_root
from cilsim.errors import CilsimError
from cilsim.plugins import Plugins, discover
from cilsim.registry import load_target
from cilsim.report.formatting import size
from cilsim.results.manifest import PACKAGES, package_versions

LEAST_PYTHON = (3, 11)
SCARCE, TOO_LITTLE = 2_000_000_000, 50_000_000
"""Free bytes below which `doctor` warns, and below which runs cannot be stored."""

State = Literal["ok", "warn", "fail"]


@dataclass(frozen=True)
class Finding:
    """One line of `doctor`."""

    state: State
    about: str
    text: str


def examine(out: Path) -> list[Finding]:
    """Return what there is to say about this machine; imports torch.

    Args:
        out: where runs would be written.
    """
    plugins = discover()
    return [
        _python(),
        _packages(),
        *_torch(),
        _folder("runs", out, "--out"),
        _folder("cache", cache_root(), "CILSIM_CACHE"),
        _disk(out),
        *_plugins(plugins),
        *_datasets(plugins),
    ]


def _python() -> Finding:
    text = f"{platform.python_version()} on {platform.platform()}"
    if sys.version_info < LEAST_PYTHON:
        return Finding("fail", "python", f"{text}; 3.11 or newer is needed")
    return Finding("ok", "python", text)


def _packages() -> Finding:
    installed = {"cilsim": __version__} | package_versions()
    missing = [name for name in PACKAGES if name not in installed]
    if missing:
        return Finding("fail", "packages", f"not installed: {', '.join(missing)}")
    return Finding("ok", "packages", ", ".join(map(" ".join, installed.items())))


def _torch() -> Iterator[Finding]:
    from cilsim.cli.busyness import prepare_environment

    prepare_environment()
    try:
        import torch
    except ImportError as error:
        yield Finding("fail", "device", f"importing torch fails: {error}")
        return
    if torch.cuda.is_available():
        names = [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())]
        yield Finding("ok", "device", ", ".join(f"cuda:{i} {name}" for i, name in enumerate(names)))
    elif torch.backends.mps.is_available():
        yield Finding("ok", "device", "mps")
    else:
        yield Finding("ok", "device", "cpu; torch finds no GPU")
    yield Finding(
        "ok", "threads", f"torch uses {torch.get_num_threads()} of {os.cpu_count()} processors"
    )


def _folder(about: str, folder: Path, remedy: str) -> Finding:
    """Say whether files can be written into a folder, which need not exist yet."""
    reason = why_unwritable(folder)
    if reason is None:
        return Finding("ok", about, f"{folder} can be written")
    return Finding("fail", about, f"{folder} cannot be written: {reason}; change it by {remedy}")


def _disk(out: Path) -> Finding:
    free = shutil.disk_usage(nearest_existing(out)).free
    state: State = "fail" if free < TOO_LITTLE else "warn" if free < SCARCE else "ok"
    return Finding(state, "free disk", f"{size(free)} where runs are written")


def _plugins(plugins: Plugins) -> Iterator[Finding]:
    yield Finding("ok", "plugins", ", ".join(plugin.name for plugin in plugins.loaded))
    for line in plugins.explain_broken():
        yield Finding("warn", "plugins", line)


def _datasets(plugins: Plugins) -> Iterator[Finding]:
    here, absent, own = [], [], []
    for entry in plugins.registries.datasets:
        try:
            load_target(entry.facts["facts"], entry)(entry.option_model()())
            here.append(entry.name)
        except ValidationError:  # a path is needed
            own.append(entry.name)
        except CilsimError:
            absent.append(entry.name)
    for text, names in (("here", here), ("not here", absent), ("yours, by path", own)):
        if names:
            yield Finding("ok", "data sets", f"{text}: {', '.join(names)}")
    yield Finding("ok", "data folder", f"{data_root()}")
