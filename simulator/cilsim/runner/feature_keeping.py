"""Where the runs of a scenario keep features, and what these depend on."""

from __future__ import annotations

from typing import Any

import torch

from cilsim.features.cache import FeatureCache
from cilsim.features.shards import FeatureShards
from cilsim.plugins import Plugins
from cilsim.results.cache import ContentStore
from cilsim.runner.device import torch_facts
from cilsim.scenario.plain import plain
from cilsim.scenario.schema import Scenario

FEATURE_BYTES = 1 << 30
"""Features that are kept in memory for reuse by other strategies and later experiences."""


def feature_cache(
    scenario: Scenario, plugins: Plugins, device: torch.device, store: ContentStore | None
) -> FeatureCache:
    """Return the features of one command, kept beyond it if there is a store."""
    shards = None
    if store is not None:
        shards = FeatureShards(store, {"backbone": scenario.backbone.name})
    return FeatureCache(FEATURE_BYTES, shards, feature_facts(scenario, plugins, device))


def feature_facts(scenario: Scenario, plugins: Plugins, device: torch.device) -> dict[str, Any]:
    """Return what features depend on that neither weights nor samples say."""
    choice = scenario.backbone
    return {
        "backbone": [choice.name, plain(choice.options)],
        "owner": str(plugins.registries.backbones[choice.name].owner),
        "machine": torch_facts(device),
        "threads": torch.get_num_threads(),
        "deterministic": scenario.deterministic,
    }
