"""What a backbone with given weights needs of a run: its normalisation, and that weights fit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import torch

from cilsim.data.dataset import DataSet
from cilsim.errors import DataError
from cilsim.plugins import Plugins
from cilsim.registry import load_target
from cilsim.runner.blame import plugins_named
from cilsim.scenario.schema import Scenario


def normalised_for_backbone(scenario: Scenario, plugins: Plugins, dataset: DataSet) -> DataSet:
    """Return the data set with the mean and deviation that the backbone wants.

    Raises:
        DataError: the moments are not for images with that many channels.
    """
    moments = None if dataset.facts.features else _fact("normalisation", scenario, plugins)
    if moments is None:
        return dataset
    mean, std = moments
    channels = dataset.facts.sample_shape[0]
    if channels not in (1, len(mean)):
        raise DataError(
            f"backbone '{scenario.backbone.name}': its normalisation is for images with "
            f"{len(mean)} channels, data set '{dataset.name}' gives {channels}"
        )
    return replace(dataset, mean=mean, std=std)


def network_shape(dataset: DataSet) -> tuple[int, ...]:
    """Return the shape of what a backbone gets; grey images become as many channels as means."""
    shape = dataset.facts.sample_shape
    return shape if dataset.facts.features else (len(dataset.mean), *shape[1:])


def weights_identity(
    scenario: Scenario, plugins: Plugins, dataset: DataSet
) -> Mapping[str, str] | None:
    """Return name and SHA-256 of the backbone's weights, or None if it starts from random ones.

    Given weights are put into the backbone once, so that a file that does not fit is refused
    before anything runs.

    Raises:
        CilsimError: the weights are missing, damaged or for another network.
    """
    found: Mapping[str, str] | None = _fact("weights", scenario, plugins)
    if found is not None:
        choice = scenario.backbone
        build = plugins.registries.backbones[choice.name].load()
        with plugins_named(plugins):
            build(choice.options, network_shape(dataset), torch.Generator())
    return found


def _fact(name: str, scenario: Scenario, plugins: Plugins) -> Any:
    """Return what the backbone's registration says by `name` for the options, or None."""
    entry = plugins.registries.backbones[scenario.backbone.name]
    target = entry.facts.get(name)
    if target is None:
        return None
    with plugins_named(plugins):
        return load_target(target, entry)(scenario.backbone.options)
