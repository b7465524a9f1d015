"""A backbone must take what the data set gives."""

from __future__ import annotations

import numpy as np
import pytest

from cilsim.errors import ScenarioError
from cilsim.plugins import discover
from cilsim.scenario.load import load_text
from cilsim.scenario.resolved import resolved_yaml
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
        "3 x 16 x 16; backbones that fit: resnet12, resnet18, resnet18_cifar, resnet20, resnet32, "
        "small, timm, vit_b_16, wide_resnet\n"
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
        "s.yaml:1:1: backbone: 'small' does not take features, and arrays gives features of 2; "
        "backbones that fit: identity, mlp"
    )


def _with_backbone(section: str) -> str:
    return (
        "stream: {kind: class_incremental, dataset: digits, experiences: 5}\n"
        "strategy: nmc\n"
        f"backbone: {section}\n"
    )


def test_a_file_of_weights_that_is_missing_is_named_with_its_place(tmp_path):
    text = _with_backbone("{name: resnet20, weights: w.pt, normalisation: half}")
    assert _complaint(text, tmp_path) == (
        f"s.yaml:3:37: backbone.weights: no such file: {tmp_path / 'w.pt'}\n"
        "     3 | backbone: {name: resnet20, weights: w.pt, normalisation: half}\n"
        "       |                                     ^"
    )


def test_a_misspelt_name_of_weights_is_met_with_the_nearest(tmp_path):
    text = _with_backbone("{name: vit_b_16, weights: imagnet1k_v1, normalisation: half}")
    assert _complaint(text, tmp_path).splitlines()[0] == (
        f"s.yaml:3:37: backbone.weights: no such file: {tmp_path / 'imagnet1k_v1'}; "
        "did you mean 'imagenet1k_v1'?"
    )


def test_a_file_of_weights_without_normalisation_is_refused(tmp_path):
    text = _with_backbone("{name: resnet20, weights: w.pt}")
    assert _complaint(text, tmp_path).splitlines()[0] == (
        "s.yaml:3:1: backbone: normalisation is missing: a file of weights does not say how images "
        "were normalised; give 'dataset', 'imagenet', 'half' or 'none'"
    )


def test_weights_are_a_name_or_a_path():
    text = _with_backbone("{name: resnet18, weights: 3}")
    assert _complaint(text).splitlines()[0] == (
        "s.yaml:3:37: backbone.weights: expected 'none', 'imagenet1k_v1' or text, found 3"
    )


def test_weights_are_found_beside_the_scenario_and_survive_the_resolved_form(tmp_path):
    (tmp_path / "w.pt").write_bytes(b"")
    text = _with_backbone("{name: resnet20, weights: w.pt, normalisation: half}")
    scenario = load_text(text, "s.yaml", discover().registries, folder=tmp_path)
    assert scenario.backbone.options.weights == tmp_path / "w.pt"
    again = load_text(resolved_yaml(scenario), "s.yaml", discover().registries)
    assert again == scenario


def test_without_timm_the_check_says_what_to_install(monkeypatch):
    monkeypatch.setattr("cilsim.backbones.timm_options.find_spec", lambda name: None)
    text = _with_backbone("{name: timm, model: resnet18.tv_in1k}")
    assert _complaint(text).splitlines()[0] == (
        "s.yaml:3:18: backbone.name: 'timm' needs a package that is not installed; "
        'pip install "cilsim[timm]"'
    )


def test_images_that_vanish_in_the_network_are_refused(tmp_path):
    pixels = np.zeros((4, 3, 8, 8), dtype=np.uint8)
    classes = np.array([0, 0, 1, 1])
    np.savez(tmp_path / "a.npz", x_train=pixels, y_train=classes, x_test=pixels, y_test=classes)
    text = (
        "stream: {kind: class_incremental, dataset: {name: arrays, path: a.npz}, experiences: 2}\n"
        "strategy: nmc\n"
        "backbone: resnet12\n"
    )
    assert _complaint(text, tmp_path).splitlines()[0] == (
        "s.yaml:3:11: backbone: images of 8 x 8 pixels vanish in its four halvings - expected "
        "at least 16 x 16; use 'small' or 'resnet20'"
    )
