"""The strategies that advice tries, cheap ones first, as scenarios.

No network is trained beyond the base by those of the first rung: they share one trained base and
its cached features, and take seconds. Those of the second train in every experience.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cilsim.advice.proposal import Proposal
from cilsim.advice.survey import Survey

ON_FEATURES = ("nmc", "teen", "slda", "fecam", "ranpac", "fetril")
TRAINED = ("icarl", "pass", "napa_vq")
ON_IMAGES = frozenset({"pass", "napa_vq"})
"""They turn images by quarters."""

ENOUGH_TO_SPREAD = 2
"""Samples of a class that its own covariance needs at least."""

BASE_STEPS = 1200
"""Optimiser steps of a base training, as far as the limits of its epochs allow."""
FEWEST_EPOCHS, MOST_EPOCHS = 10, 60


@dataclass(frozen=True)
class Wishes:
    """What the user asked for.

    Attributes:
        name: begins the names of scenarios.
        dataset: as in a scenario.
        seeds: training seeds.
        backbone: name of the backbone; None for one that suits the samples.
        weights: a file of weights for it, or None.
    """

    name: str
    dataset: dict[str, Any]
    seeds: tuple[int, ...]
    backbone: str | None = None
    weights: Path | None = None


@dataclass(frozen=True)
class Rung:
    """Strategies that are tried together.

    Attributes:
        name: ends the name of the scenario.
        strategies: their names.
    """

    name: str
    strategies: tuple[str, ...]


def rungs(found: Survey, installed: Sequence[str], wanted: Sequence[str] | None) -> list[Rung]:
    """Return what is to be tried, cheap ones first.

    Args:
        found: the data.
        installed: names of all strategies.
        wanted: only these; those that the ladder does not know are tried last.
    """
    known = [*ON_FEATURES, *(one for one in TRAINED if not (found.features and one in ON_IMAGES))]
    chosen = [*known, *(one for one in wanted or () if one not in known)]
    chosen = [one for one in chosen if one in installed and (wanted is None or one in wanted)]
    first = tuple(one for one in chosen if one in ON_FEATURES)
    second = tuple(one for one in chosen if one not in ON_FEATURES)
    return [rung for rung in (Rung("features", first), Rung("trained", second)) if rung.strategies]


def scenario(
    found: Survey, proposal: Proposal, wishes: Wishes, name: str, strategies: Sequence[str]
) -> dict[str, Any]:
    """Return a scenario as plain data."""
    base = set(proposal.class_order[: proposal.base_classes])
    counts = zip(found.class_ids, found.train, strict=True)
    samples = sum(count for class_id, count in counts if class_id in base)
    recipe = base_recipe(samples, found)
    return {
        "schema": 1,
        "name": name,
        "description": proposal.reason,
        "stream": {"kind": proposal.kind, "dataset": wishes.dataset, **proposal.options},
        "class_order": {"list": list(proposal.class_order)},
        "backbone": _backbone(found, wishes),
        "strategies": [_strategy(one, found, proposal) for one in strategies],
        "seeds": list(wishes.seeds),
        "base_training": recipe,
        "training": {**recipe, "epochs": math.ceil(recipe["epochs"] / 4), "lr": 0.01},
    }


def base_recipe(samples: int, found: Survey) -> dict[str, Any]:
    """Return a recipe whose length follows from the number of samples of the base."""
    batch = 32 if samples < 4000 else 128
    epochs = math.ceil(BASE_STEPS / max(1, samples // batch))
    recipe = {
        "epochs": min(max(epochs, FEWEST_EPOCHS), MOST_EPOCHS),
        "batch_size": batch,
        "lr": 0.05,
        "schedule": "one_cycle",
        "schedule_interval": "step",
    }
    if found.features:
        return recipe
    return {**recipe, "augmentation": {"crop_padding": max(1, found.side // 16)}}


def _backbone(found: Survey, wishes: Wishes) -> str | dict[str, Any]:
    name = wishes.backbone or ("mlp" if found.features else "small")
    if wishes.weights is None:
        return name
    weights = {"weights": str(wishes.weights.resolve()), "normalisation": "imagenet"}
    return {"name": name, **weights, "frozen": True}


def _strategy(name: str, found: Survey, proposal: Proposal) -> str | dict[str, Any]:
    """Return a strategy with what the data ask of it: a shot or two have no covariance."""
    few = proposal.kind == "few_shot_class_incremental" or min(found.train) < ENOUGH_TO_SPREAD
    return {"name": name, "covariance": "common"} if name == "fecam" and few else name
