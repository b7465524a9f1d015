"""Given weights: what they change of a run, and what happens when they change."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from cilsim import hookimpl
from cilsim.backbones.backbone import Backbone
from cilsim.backbones.options import SmallOptions
from cilsim.backbones.residual import small
from cilsim.backbones.transformer import VitSize, vision_transformer
from cilsim.backbones.transformer_options import VitOptions
from cilsim.data.arrays import arrays_dataset
from cilsim.data.dataset import DataSet
from cilsim.errors import CheckpointError, DataError, RunFolderError
from cilsim.features.cache import FeatureCache
from cilsim.results.tensors import load_state
from cilsim.runner.pretrained import network_shape, normalised_for_backbone
from cilsim.scenario.load import load_text
from cilsim.scenario.schema import Scenario
from cilsim.testing import Project
from cilsim.testing.spies import StopAfterCheckpoint

FROZEN = [
    "nmc",
    "slda",
    {"name": "ranpac", "random_features": 40},
    {"name": "fecam", "preset": "vit"},
]


class TinyVit:
    """Registers a transformer of two blocks, and counts the training steps of a run."""

    cilsim_api = 1

    def __init__(self) -> None:
        self.steps: Counter[str] = Counter()

    @hookimpl
    def cilsim_register_backbones(self, register: Any) -> None:
        register(
            "tiny_vit",
            self.build,
            options=VitOptions,
            accepts="images",
            check="cilsim.backbones.pretrained:check",
            normalisation="cilsim.backbones.pretrained:normalisation",
            weights="cilsim.backbones.weight_files:identity",
        )

    def build(self, options: Any, shape: tuple[int, ...], generator: torch.Generator) -> Backbone:
        size = VitSize(patch=8, width=12, depth=2, heads=2)
        return vision_transformer("tiny_vit", size, options, shape, generator)

    @hookimpl
    def cilsim_training_loss(self, run: Any, batch: Any) -> None:
        self.steps[run.strategy] += 1


def write_images(folder: Path, channels: int = 3) -> None:
    """Write 8 classes of 16 x 16 images, each a colour with noise, 12 to train on and 4 to test."""
    draws = np.random.default_rng(0)
    colours = draws.integers(40, 215, (8, 1, 1, 1, channels))

    def part(count: int) -> tuple[Any, Any]:
        noise = draws.integers(-40, 41, (8, count, 16, 16, channels))
        images = (colours + noise).astype(np.uint8).reshape(-1, 16, 16, channels)
        return images, np.repeat(np.arange(8), count)

    (x_train, y_train), (x_test, y_test) = part(12), part(4)
    np.savez(folder / "images.npz", x_train=x_train, y_train=y_train, x_test=x_test, y_test=y_test)


def write_weights(path: Path, seed: int = 0, **options: Any) -> None:
    """Write random weights of `small`, such as somebody else's training could have given."""
    generator = torch.Generator().manual_seed(seed)
    save_file(small(SmallOptions(**options), (3, 16, 16), generator).state_dict(), path)


@pytest.fixture
def tiny() -> TinyVit:
    return TinyVit()


@pytest.fixture
def project(tmp_path: Path, tiny: TinyVit) -> Project:
    write_images(tmp_path)
    write_weights(tmp_path / "w.safetensors")
    return Project.create(tmp_path, [("tiny", tiny)])


def scenario(strategy: Any, backbone: dict[str, Any], **changes: Any) -> dict[str, Any]:
    recipe = {"epochs": 2, "batch_size": 16, "lr": 0.01}
    return {
        "stream": {
            "kind": "class_incremental",
            "experiences": 4,
            "dataset": {"name": "arrays", "path": "images.npz"},
        },
        "backbone": backbone,
        "strategies": strategy if isinstance(strategy, list) else [strategy],
        "base_training": recipe,
        "training": recipe,
        **changes,
    }


GIVEN = {"name": "small", "weights": "w.safetensors", "normalisation": "imagenet"}


def test_a_frozen_backbone_is_not_trained(project: Project, tiny: TinyVit) -> None:
    outcome = project.run(scenario(FROZEN, {**GIVEN, "frozen": True}))
    assert [failure.message for failure in outcome.failures] == []
    assert len(outcome.results) == 4
    assert tiny.steps == {}


def test_a_frozen_transformer_is_not_trained(project: Project, tiny: TinyVit) -> None:
    outcome = project.run(scenario(FROZEN, {"name": "tiny_vit", "image_size": 16, "frozen": True}))
    assert [failure.message for failure in outcome.failures] == []
    assert tiny.steps == {}


def test_each_image_passes_a_frozen_backbone_once(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    caches: list[FeatureCache] = []

    def remembered(*arguments: Any, **keywords: Any) -> FeatureCache:
        caches.append(FeatureCache(*arguments, **keywords))
        return caches[-1]

    monkeypatch.setattr("cilsim.runner.feature_keeping.FeatureCache", remembered)
    project.run(scenario(["nmc", "slda"], {**GIVEN, "frozen": True}, seeds=[0, 1]))
    assert [cache.counter.images for cache in caches] == [8 * (12 + 4)]


def test_the_head_alone_trains_over_a_frozen_backbone(project: Project, tiny: TinyVit) -> None:
    outcome = project.run(scenario("finetune", {**GIVEN, "frozen": True}))
    assert not outcome.failures
    assert tiny.steps == {"finetune": 4 * 2 * 2}  # experiences, epochs, batches of 16 from 24


def test_given_weights_can_be_trained_on(project: Project, tiny: TinyVit) -> None:
    outcome = project.run(scenario("nmc", GIVEN))
    assert not outcome.failures
    assert tiny.steps == {"nmc": 4}


def test_the_last_block_of_a_transformer_can_be_trained(project: Project, tiny: TinyVit) -> None:
    outcome = project.run(
        scenario("nmc", {"name": "tiny_vit", "image_size": 16, "trainable_blocks": 1})
    )
    assert not outcome.failures
    assert tiny.steps == {"nmc": 4}


def test_checkpoints_leave_out_what_is_in_the_file_of_weights(project: Project) -> None:
    project.run(scenario("nmc", {**GIVEN, "frozen": True}))
    state, _ = load_state(project.files("toy", "nmc").folder / "checkpoints" / "experience-03")
    assert state["model"]["backbone"] == {}


def test_an_interrupted_run_on_given_weights_goes_on_to_the_same_bytes(project: Project) -> None:
    frozen = scenario("finetune", {**GIVEN, "frozen": True})
    project.run(frozen, "whole")
    assert project.run_in_parts(frozen, "parts", StopAfterCheckpoint) == 3
    whole, parts = (project.files(name, "finetune") for name in ("whole", "parts"))
    assert parts.deterministic_bytes() == whole.deterministic_bytes()


def test_the_manifest_names_the_weights(project: Project) -> None:
    project.run(scenario("nmc", {**GIVEN, "frozen": True}))
    manifest = json.loads((project.folder / "runs" / "toy" / "manifest.json").read_text())
    digest = sha256((project.folder / "w.safetensors").read_bytes()).hexdigest()
    assert manifest["weights"] == {"name": "w.safetensors", "sha256": digest}


def test_other_weights_under_the_same_name_are_not_mixed_with_stored_results(
    project: Project,
) -> None:
    path = project.folder / "w.safetensors"
    project.run(scenario("nmc", {**GIVEN, "frozen": True}))
    before = sha256(path.read_bytes()).hexdigest()
    write_weights(path, seed=1)
    after = sha256(path.read_bytes()).hexdigest()
    with pytest.raises(RunFolderError) as caught:
        project.run(scenario("nmc", {**GIVEN, "frozen": True}))
    assert str(caught.value) == (
        f"{project.folder / 'runs' / 'toy'}: cannot be resumed under other conditions: "
        f"weights.sha256: {before} before, {after} now; restore them, or choose another place "
        "with --out"
    )


def test_a_base_trained_from_other_weights_is_not_reused(project: Project, tiny: TinyVit) -> None:
    project.run(scenario("nmc", GIVEN), "one", cache=True)
    project.run(scenario("nmc", GIVEN), "again", cache=True)
    assert tiny.steps == {"nmc": 4}
    write_weights(project.folder / "w.safetensors", seed=1)
    project.run(scenario("nmc", GIVEN), "other", cache=True)
    assert tiny.steps == {"nmc": 8}


def test_a_base_trained_on_other_normalisation_is_not_reused(
    project: Project, tiny: TinyVit
) -> None:
    random = {"name": "small"}
    project.run(scenario("nmc", random, seeds=[5]), "one", cache=True)
    project.run(scenario("nmc", {**random, "normalisation": "half"}, seeds=[5]), "two", cache=True)
    assert tiny.steps == {"nmc": 8}


def test_weights_for_another_feature_size_are_refused_before_anything_runs(
    project: Project,
) -> None:
    write_weights(project.folder / "w.safetensors", widths=(24, 48, 64))
    with pytest.raises(CheckpointError) as caught:
        project.run(scenario("nmc", GIVEN))
    assert str(caught.value) == (
        f"backbone 'small': weights '{project.folder / 'w.safetensors'}' do not fit: they give 64 "
        "features, the backbone 96; of another shape: layer3.0.conv1.weight 64x48x3x3 instead of "
        "96x48x3x3, layer3.0.bn1.weight 64 instead of 96, layer3.0.bn1.bias 64 instead of 96 and "
        "12 more"
    )
    assert caught.value.exit_code == 2
    assert not (project.folder / "runs").exists()


def test_grey_images_become_colour_images_for_given_weights(project: Project) -> None:
    write_images(project.folder, channels=1)
    outcome = project.run(scenario("nmc", {**GIVEN, "frozen": True}))
    assert not outcome.failures


def arrays(channels: int) -> DataSet:
    x = np.zeros((2, 4, 4, min(channels, 3)), dtype=np.uint8)
    dataset = arrays_dataset(x, np.arange(2), x, np.arange(2), name="mine")
    return replace(dataset, facts=replace(dataset.facts, sample_shape=(channels, 4, 4)))


def loaded(project: Project) -> Scenario:
    text = json.dumps(scenario("nmc", {**GIVEN, "normalisation": "half"}))
    return load_text(text, "s.yaml", project.plugins.registries, folder=project.folder)


@pytest.mark.parametrize("channels", [1, 3])
def test_moments_of_the_weights_replace_those_of_the_data(project: Project, channels: int) -> None:
    dataset = normalised_for_backbone(loaded(project), project.plugins, arrays(channels))
    assert (dataset.mean, dataset.std) == ((0.5,) * 3, (0.5,) * 3)
    assert network_shape(dataset) == (3, 4, 4)


def test_images_with_other_channels_are_refused(project: Project) -> None:
    with pytest.raises(DataError) as caught:
        normalised_for_backbone(loaded(project), project.plugins, arrays(4))
    assert str(caught.value) == (
        "backbone 'small': its normalisation is for images with 3 channels, data set 'mine' gives 4"
    )
