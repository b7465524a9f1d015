"""Data sets, streams and backbones that plugins make, checked as they come in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from cilsim.backbones.backbone import Backbone, fingerprint
from cilsim.data.dataset import DataSet
from cilsim.data.set_complaint import dataset_complaint
from cilsim.features.extract import evaluating
from cilsim.plugins import Plugins
from cilsim.registry import Entry
from cilsim.runner import returned
from cilsim.runner.guard import Guard
from cilsim.runner.planning import entry_named, expect, refuse_if, told_facts
from cilsim.scenario.schema import NamedChoice

PROBED = 2
"""Samples that a stranger's backbone is tried on; one would hide a missing batch axis."""


def load_dataset(choice: NamedChoice, plugins: Plugins) -> DataSet:
    """Return the data set that a scenario names.

    Raises:
        CilsimError: it cannot be loaded, or is not a data set.
    """
    entry = plugins.registries.datasets[choice.name]
    with entry_named(entry):
        dataset: DataSet = entry.load()(choice.options)
    expect(DataSet, dataset, entry)
    refuse_if(entry, lambda: dataset_complaint(dataset, told_facts(choice, plugins)))
    return dataset


def build_backbone(
    entry: Entry, options: Any, shape: tuple[int, ...], generator: torch.Generator, guard: Guard
) -> Backbone:
    """Return a new backbone on the CPU; one that is not cilsim's own is tried, and built twice.

    Raises:
        CilsimError: what was built cannot serve as a backbone.
    """
    what = f"backbone '{entry.name}'"
    build = guard.wrap(entry.load(), entry.owner, what, lambda found, _: returned.backbone(found))
    again = torch.Generator().set_state(generator.get_state())
    backbone: Backbone = build(options, shape, generator)
    if not entry.owner.comes_with_cilsim:
        samples = torch.zeros(PROBED, *shape)
        with guard.calling(entry.owner, what), evaluating(backbone), torch.inference_mode():
            features = backbone(samples)
        _check_features(features, backbone, entry, guard)
        _check_draws(backbone, lambda: build(options, shape, again), entry, guard)
    return backbone


def _check_draws(
    backbone: Backbone, rebuild: Callable[[], Backbone], entry: Entry, guard: Guard
) -> None:
    """Refuse weights that are others when all but torch's global generator is the same."""
    with torch.random.fork_rng(devices=[]):
        twin = rebuild()
    if fingerprint(twin) != fingerprint(backbone):
        complaint = (
            "built twice its weights differ, expected them to be drawn from 'generator' alone"
        )
        raise guard.failure(entry.owner, f"backbone '{entry.name}'", complaint)


def _check_features(features: Any, backbone: nn.Module, entry: Entry, guard: Guard) -> None:
    expected = (PROBED, backbone.feature_size)
    complaint = returned.tensor_complaint(features, expected, torch.device("cpu"))  # type: ignore[arg-type]
    if complaint:
        raise guard.failure(
            entry.owner, f"backbone '{entry.name}'", f"for {PROBED} samples {complaint}"
        )
