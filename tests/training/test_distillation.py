from __future__ import annotations

import pytest
import torch

from cilsim.training.distillation import unit_feature_distance


def test_distance_of_unit_features_is_two_minus_two_cosines() -> None:
    features = torch.tensor([[3.0, 4.0], [0.0, 2.0]])
    old = torch.tensor([[5.0, 0.0], [0.0, 0.1]])
    # cosines 0.6 and 1
    assert unit_feature_distance(features, old).item() == pytest.approx(0.4)
