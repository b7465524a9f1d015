"""`manifest.json`: what a run depended on, without a word about who ran it or where.

Versions are read from the installed metadata; nothing is imported for them.
"""

from __future__ import annotations

import platform
from collections.abc import Iterable, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from cilsim.registry import Owner
from cilsim.results.atomic import json_bytes
from cilsim.results.reading import as_object
from cilsim.results.sealed_folder import SealedFolder

MANIFEST = "manifest.json"

PACKAGES = (
    "avalanche-lib",
    "cilsim",
    "numpy",
    "pillow",
    "pluggy",
    "pydantic",
    "safetensors",
    "scikit-learn",
    "scipy",
    "tensorboard",
    "torch",
    "torchvision",
)
"""What every installation has."""
EXTRAS = ("pyarrow", "ray", "timm")
"""What some have, by an extra."""

# What changes the bits of a result, and so may not change in the middle of a run.
_FIXED_DURING_A_RUN = (
    ("scenario_hash",),
    ("data_digest",),
    ("stream_digest",),
    ("weights",),
    ("device",),
    ("threads",),
    ("packages", "torch"),
    ("torch",),
)


def manifest(
    *,
    scenario_hash: str,
    data_digest: str,
    stream_digest: str,
    device: str,
    threads: int,
    torch_facts: Mapping[str, Any],
    plugins: Iterable[Owner],
    protocol_stamps: Iterable[str] = (),
    weights: Mapping[str, str] | None = None,
    skipped_files: Iterable[str] = (),
) -> dict[str, Any]:
    """Return what a run depends on, as JSON values.

    Args:
        scenario_hash: of the resolved scenario.
        data_digest: of the samples and class ids.
        stream_digest: of class order and split.
        device: such as `cpu` or `cuda:0`.
        threads: of torch on the CPU; results differ between 1 and 2.
        torch_facts: what only torch knows, as JSON values: `cpu_capability`, `cuda`, `gpu`,
            `deterministic`.
        plugins: the plugins that the run uses.
        protocol_stamps: what makes the figures differ from a clean protocol, such as
            `best_test_epoch`.
        weights: `name` and `sha256` of the weights that the backbone starts from, if given.
        skipped_files: of the data set that are left out, each with the reason.
    """
    return {
        "scenario_hash": scenario_hash,
        "data_digest": data_digest,
        "stream_digest": stream_digest,
        "weights": None if weights is None else dict(weights),
        "skipped_files": list(skipped_files),
        "protocol_stamps": list(protocol_stamps),
        "device": device,
        "threads": threads,
        "torch": dict(torch_facts),
        "packages": package_versions(),
        "plugins": _plugin_facts(plugins),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "cpu": cpu_model(),
    }


def write_manifest(folder: Path, found: Mapping[str, Any]) -> None:
    """Write `manifest.json` into a run folder.

    Raises:
        RunFolderError: the folder cannot be written.
    """
    SealedFolder(folder).write(MANIFEST, json_bytes(found))


def read_manifest(folder: Path) -> dict[str, Any] | None:
    """Return the manifest of a run folder, or None before there is one.

    Raises:
        CheckpointError: the file is missing or damaged.
    """
    content = SealedFolder(folder).read(MANIFEST)
    return None if content is None else as_object(folder / MANIFEST, content)


def agrees_with_manifest(folder: Path, found: Mapping[str, Any]) -> bool:
    """Return whether a manifest is the one that was last written, whatever became of the file."""
    return SealedFolder(folder).agrees(MANIFEST, json_bytes(found))


def resume_conflicts(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Return why a run that began with one manifest cannot go on with another; empty if it can.

    Each line names what differs, such as `threads: 1 before, 2 now`. Only what changes the bits of
    the results counts.
    """
    lines = []
    for path in _FIXED_DURING_A_RUN:
        earlier, current = _at(before, path), _at(now, path)
        lines += _differences(".".join(path), earlier, current)
    return lines


def package_versions(names: Iterable[str] = (*PACKAGES, *EXTRAS)) -> dict[str, str]:
    """Return the versions of those packages that are installed."""
    found = {}
    for name in names:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def cpu_model() -> str:
    """Return the processor's name, such as `AMD EPYC 9354`, or an empty text."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor())


def _plugin_facts(plugins: Iterable[Owner]) -> list[dict[str, str]]:
    by_name = {owner.plugin: owner for owner in plugins}
    return [
        {"name": name, "distribution": owner.distribution, "version": owner.version}
        for name, owner in sorted(by_name.items())
    ]


def _at(found: Any, path: tuple[str, ...]) -> Any:
    for key in path:
        found = found.get(key) if isinstance(found, Mapping) else None
    return found


def _differences(name: str, before: Any, now: Any) -> list[str]:
    if isinstance(before, Mapping) and isinstance(now, Mapping):
        keys = sorted({*before, *now})
        return [
            line
            for key in keys
            for line in _differences(f"{name}.{key}", before.get(key), now.get(key))
        ]
    return [] if before == now else [f"{name}: {before} before, {now} now"]
