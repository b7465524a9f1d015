"""Where the runs of a scenario keep features and trained bases, and what features depend on."""

from __future__ import annotations

from typing import Any

import torch

from cilsim.distributed.processes import ALONE, Processes
from cilsim.features.cache import MAPPED_BYTES, FeatureCache
from cilsim.features.shards import FeatureShards
from cilsim.features.shared_shards import SharedShards
from cilsim.plugins import Plugins
from cilsim.results.cache import ContentStore
from cilsim.results.shared_store import SharedStore
from cilsim.runner.device import torch_facts
from cilsim.scenario.plain import plain
from cilsim.scenario.schema import Scenario
from cilsim.strategy.base_training import MemoryStore, Store

FEATURE_BYTES = 1 << 30
"""Features that are kept in memory for reuse by other strategies and later experiences."""


def feature_cache(
    scenario: Scenario,
    plugins: Plugins,
    device: torch.device,
    store: ContentStore | None,
    processes: Processes = ALONE,
) -> FeatureCache:
    """Return the features of one command, kept beyond it if there is a store."""
    shards: FeatureShards | SharedShards | None = None
    if store is not None:
        shards = FeatureShards(store, {"backbone": scenario.backbone.name})
        if processes.count > 1:
            shards = SharedShards(shards, processes, MAPPED_BYTES)
    facts = feature_facts(scenario, plugins, device)
    return FeatureCache(FEATURE_BYTES, shards, facts, processes=processes)


def base_store(store: ContentStore | None, processes: Processes) -> Store:
    """Return where trained bases are kept, beyond the command if there is a store."""
    if store is None:
        return MemoryStore()
    return store if processes.count == 1 else SharedStore(store, processes)


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
