from __future__ import annotations

import torch

from cilsim.strategy.base_training import MemoryStore


def test_what_is_not_there_is_none() -> None:
    assert MemoryStore().get("base", "key") is None


def test_a_memory_store_keeps_copies() -> None:
    store, weight = MemoryStore(), torch.zeros(2)
    store.put("base", "key", {"model": {"weight": weight}, "scalars": [{"step": 1}]}, {})
    weight.add_(1.0)
    stored = store.get("base", "key")
    assert stored is not None
    assert stored["model"]["weight"].tolist() == [0.0, 0.0]
    assert stored["scalars"] == [{"step": 1}]


def test_kinds_are_kept_apart() -> None:
    store = MemoryStore()
    store.put("base", "key", {"steps": 1}, {})
    assert store.get("features", "key") is None
