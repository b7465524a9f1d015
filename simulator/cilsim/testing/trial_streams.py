"""The small streams on which `cilsim plugin check` tries a strategy, by kind.

Ten classes of 8x8 patterns with 16 training images each, seconds of training on one core. A
strategy need not be good here; it must keep its promises.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

Sections = Mapping[str, Any]

PER_CLASS = 16
STREAMS: Mapping[str, Sections] = MappingProxyType(
    {
        "class_incremental": {"sizes": [4, 3, 2]},
        "few_shot_class_incremental": {"base_classes": 6, "way": 2, "shot": 5},
        "domain_incremental": {},
        "novel_class_discovery": {"labelled_classes": 4, "novel_classes": 6, "stages": 2},
        "generalized_category_discovery": {"old_classes": 6, "novel_classes": 4},
        "continual_category_discovery": {
            "old_classes": 4,
            "novel_classes": 6,
            "stages": 2,
            "new_samples": 12,
            "seen_samples": 2,
        },
        "mixed": {
            "stages": [
                {"classes": 4},
                {"classes": 3, "labelled": 0, "seen_samples": 4},
                {"classes": 3},
            ]
        },
    }
)
"""Options of each stream kind on the patterns; the first kind that a strategy serves is the main
one."""

TESTS: Mapping[str, int] = MappingProxyType(
    {
        "class_incremental": 24,
        "few_shot_class_incremental": 36,
        "domain_incremental": 20,
        "novel_class_discovery": 24,
        "generalized_category_discovery": 60,
        "continual_category_discovery": 24,
        "mixed": 24,
    }
)
"""Test samples of the first experience of each."""

ONE_CLASS: Mapping[str, Sections] = MappingProxyType(
    {
        "class_incremental": {"sizes": [1, 1, 1]},
        "novel_class_discovery": {"labelled_classes": 2, "novel_classes": 2, "stages": 2},
        "generalized_category_discovery": {"old_classes": 2, "novel_classes": 1},
        "continual_category_discovery": {
            **STREAMS["continual_category_discovery"],
            "novel_classes": 2,
        },
        "mixed": {"stages": [{"classes": 2}, {"classes": 1, "labelled": 0, "seen_samples": 4}]},
    }
)
"""The same with one class in each experience, or in each but the first."""

HIDDEN: Mapping[str, Mapping[int, int]] = MappingProxyType(
    {
        "novel_class_discovery": {4: 5, 5: 4, 7: 8, 8: 7},
        "generalized_category_discovery": {6: 7, 7: 6, 8: 9, 9: 8},
    }
)
"""Classes without labels that can change places without changing which samples come when."""

RECIPE: Mapping[str, Any] = MappingProxyType(
    {"optimizer": "adamw", "epochs": 2, "batch_size": 16, "lr": 0.001, "schedule": "constant"}
)
