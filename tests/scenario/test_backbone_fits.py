"""A backbone must take what the data set gives."""

from __future__ import annotations

import pytest

from cilsim.errors import ScenarioError
from cilsim.plugins import discover
from cilsim.scenario.load import load_text
from cilsim.testing import write_ring


def _complaint(text: str, folder=None) -> str:
    with pytest.raises(ScenarioError) as caught:
        load_text(text, "s.yaml", discover().registries, folder=folder)
    return str(caught.value)


def test_identity_is_refused_on_images():
    text = (
        "stream: {kind: class_incremental, dataset: digits, experiences: 5}\n"
        "strategy: nmc\n"
        "backbone: {name: identity}\n"
    )
    assert _complaint(text) == (
        "s.yaml:3:18: backbone.name: 'identity' does not take images, and digits gives images of "
        "3 x 16 x 16; backbones that fit: resnet18, resnet18_cifar, resnet20, resnet32, small\n"
        "     3 | backbone: {name: identity}\n"
        "       |                  ^"
    )


def test_the_default_backbone_is_refused_on_features(tmp_path):
    write_ring(tmp_path / "ring.npz")
    text = (
        "stream:\n"
        "  kind: class_incremental\n"
        "  experiences: 5\n"
        "  dataset: {name: arrays, path: ring.npz}\n"
        "strategy: nmc\n"
    )
    assert _complaint(text, tmp_path) == (
        "s.yaml: backbone: 'small' does not take features, and arrays gives features of 2; "
        "backbones that fit: identity, mlp"
    )
