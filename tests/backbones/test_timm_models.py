import importlib.util
import sys
from pathlib import Path

import pytest
import torch

from cilsim.backbones import timm_models
from cilsim.backbones.timm_models import identity, normalisation, published, timm_backbone
from cilsim.backbones.timm_options import TimmOptions, check_timm
from cilsim.errors import CheckpointError, DataError

IMAGE = (3, 32, 32)
IN21K = "vit_base_patch16_224.augreg_in21k"

installed = pytest.mark.skipif(
    importlib.util.find_spec("timm") is None, reason="needs the extra cilsim[timm]"
)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def without_timm(monkeypatch):
    monkeypatch.setitem(sys.modules, "timm", None)


def test_without_timm_one_line_says_what_to_install(without_timm):
    with pytest.raises(DataError) as caught:
        timm_backbone(TimmOptions(model="test_vit"), IMAGE, generator())
    assert str(caught.value) == (
        "backbone 'timm' needs a package that is not installed; pip install \"cilsim[timm]\""
    )


def test_without_timm_the_check_of_a_scenario_says_so(monkeypatch):
    monkeypatch.setattr("cilsim.backbones.timm_options.find_spec", lambda name: None)
    assert list(check_timm(TimmOptions(model="test_vit"), None)) == [
        ("name", "'timm' needs a package that is not installed; pip install \"cilsim[timm]\"")
    ]


def test_published_weights_and_a_file_exclude_each_other():
    with pytest.raises(ValueError, match="give either pretrained or weights, not both"):
        TimmOptions(model="m", pretrained=True, weights=Path("w.pt"), normalisation="half")


@installed
def test_check_of_a_model_without_weights_is_silent():
    assert list(check_timm(TimmOptions(model="test_vit"), None)) == []


@installed
def test_features_are_those_of_timm_on_resized_images():
    net = timm_backbone(TimmOptions(model="test_vit"), IMAGE, generator()).eval()
    images = torch.randn(2, *IMAGE)
    assert net.feature_size == 64
    assert net.resizing.size == 160
    assert torch.equal(net(images), net.model(net.resizing(images)))
    assert net(images).shape == (2, 64)


@installed
def test_initial_weights_depend_on_the_generator_alone():
    before = torch.get_rng_state()
    first, same, other = (
        timm_backbone(TimmOptions(model="test_vit"), IMAGE, generator(seed)).state_dict()
        for seed in (0, 0, 1)
    )
    assert torch.equal(torch.get_rng_state(), before)
    name = "model.blocks.0.attn.qkv.weight"
    assert torch.equal(first[name], same[name])
    assert not torch.equal(first[name], other[name])


@installed
def test_a_file_of_weights_gives_its_features(tmp_path):
    import timm

    reference = timm.create_model("test_vit", num_classes=10).eval()
    path = tmp_path / "vit.pth"
    torch.save(reference.state_dict(), path)
    options = TimmOptions(model="test_vit", weights=path, normalisation="half", frozen=True)
    net = timm_backbone(options, IMAGE, generator()).eval()
    images = torch.randn(2, 3, 160, 160)
    with torch.inference_mode():
        expected = reference.forward_head(reference.forward_features(images), pre_logits=True)
        assert torch.equal(net(images), expected)
    assert not any(parameter.requires_grad for parameter in net.parameters())


@installed
def test_weights_of_another_model_are_refused_in_one_line(tmp_path):
    import timm

    path = tmp_path / "w.pt"
    torch.save({"conv1.weight": torch.zeros(3)}, path)
    options = TimmOptions(model="test_vit", weights=path, normalisation="half")
    with pytest.raises(CheckpointError) as caught:
        timm_backbone(options, IMAGE, generator())
    more = len(timm.create_model("test_vit", num_classes=0).state_dict()) - 3
    assert str(caught.value) == (
        f"backbone 'timm': weights '{path}' do not fit: missing: cls_token, pos_embed, "
        f"patch_embed.proj.weight and {more} more; unknown: conv1.weight"
    )


@installed
def test_weights_with_one_tensor_missing_are_refused(tmp_path):
    import timm

    tensors = timm.create_model("test_resnet", num_classes=3).state_dict()
    del tensors["bn1.weight"]
    path = tmp_path / "w.pt"
    torch.save(tensors, path)
    options = TimmOptions(model="test_resnet", weights=path, normalisation="half")
    with pytest.raises(CheckpointError) as caught:
        timm_backbone(options, IMAGE, generator())
    assert str(caught.value) == (
        f"backbone 'timm': weights '{path}' do not fit: missing: bn1.weight"
    )


@installed
@pytest.mark.parametrize("name", ["test_convnext", "test_resnet", "test_efficientnet"])
def test_weights_of_other_families_give_the_features_of_timm(tmp_path, name):
    import timm

    reference = timm.create_model(name, num_classes=7).eval()
    path = tmp_path / "w.pt"
    torch.save({"state_dict": reference.state_dict()}, path)
    options = TimmOptions(model=name, weights=path, normalisation="imagenet")
    net = timm_backbone(options, IMAGE, generator()).eval()
    images = torch.randn(2, 3, 160, 160)
    with torch.inference_mode():
        expected = reference.forward_head(reference.forward_features(images), pre_logits=True)
        assert torch.equal(net(images), expected)
    assert net.feature_size == expected.shape[1]


@installed
def test_published_weights_say_how_images_are_normalised():
    half = ((0.5,) * 3, (0.5,) * 3)
    assert normalisation(TimmOptions(model=IN21K, pretrained=True)) == half
    dino = TimmOptions(model="vit_base_patch16_224.dino", pretrained=True)
    assert normalisation(dino) == ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
    raw = TimmOptions(model=IN21K, pretrained=True, normalisation="none")
    assert normalisation(raw) == ((0.0,) * 3, (1.0,) * 3)
    assert normalisation(TimmOptions(model=IN21K)) is None


@installed
@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("vit_base_patch16_225", "did you mean 'vit_base_patch16_224'?"),
        ("vit_base_patch16_224.dyno", "did you mean 'vit_base_patch16_224.dino'?"),
        ("qqqqq", "timm.list_pretrained() lists all"),
    ],
)
def test_an_unknown_model_is_named_with_the_nearest_one(name, hint):
    with pytest.raises(DataError) as caught:
        published(name)
    assert str(caught.value) == f"timm has no model '{name}'; {hint}"


@installed
def test_offline_the_repository_and_the_way_around_are_named(monkeypatch, tmp_path):
    monkeypatch.setattr(timm_models, "reachable", lambda url: False)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(DataError) as caught:
        identity(TimmOptions(model=IN21K, pretrained=True))
    assert str(caught.value) == (
        f"backbone 'timm': weights of '{IN21K}': huggingface.co cannot be reached - fetch "
        f"https://huggingface.co/timm/{IN21K}/resolve/main/model.safetensors and give the file "
        "as weights, with pretrained: false and normalisation"
    )


@installed
def test_a_model_without_published_weights_is_named():
    with pytest.raises(DataError) as caught:
        identity(TimmOptions(model="vit_base_patch16_gap_224", pretrained=True))
    assert str(caught.value) == (
        "backbone 'timm': timm publishes no weights for 'vit_base_patch16_gap_224'; "
        "leave out pretrained, or give a file as weights"
    )


@installed
def test_identity_of_a_file_is_its_name_and_checksum(tmp_path):
    path = tmp_path / "w.pt"
    path.write_bytes(b"x")
    options = TimmOptions(model="test_vit", weights=path, normalisation="half")
    assert identity(options) == {
        "name": "w.pt",
        "sha256": "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881",
    }
    assert identity(TimmOptions(model="test_vit")) is None
