"""Whether and how the base epoch is selected on test data; it exists to match old papers."""

from __future__ import annotations

import torch

from cilsim.features.cache import FeatureCache
from cilsim.runner.materials import Materials
from cilsim.scenario.schema import Scenario
from cilsim.strategy.model import Model
from cilsim.strategy.selection import Accuracy


def selects_on_test(scenario: Scenario) -> bool:
    """Return whether the epoch with the highest test accuracy is the base."""
    return scenario.evaluate.selection == "best_test_epoch"


def base_accuracy(model: Model, materials: Materials, features: FeatureCache) -> Accuracy:
    """Return what measures backbone and head on the test samples of experience 0."""

    def accuracy() -> float:
        samples = materials.test(0)
        assert samples.labels is not None  # test parts always have labels
        model.changed()  # an epoch of training is over
        with torch.inference_mode():
            features_ND = features.features(model.backbone, model.version, samples, lasting=False)
            predicted_N = model.head(features_ND).argmax(1)
            return float((predicted_N == samples.labels).double().mean())

    return accuracy
