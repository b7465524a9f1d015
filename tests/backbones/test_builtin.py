import subprocess
import sys

import pytest
import torch

from cilsim.backbones.backbone import Backbone
from cilsim.backbones.builtin import BACKBONES, BackboneDeclaration
from cilsim.errors import DataError
from cilsim.registry import Entry, Owner

SHAPES = {"images": (3, 32, 32), "features": (12,)}


def build(declared: BackboneDeclaration, shape: tuple[int, ...], seed: int = 0) -> Backbone:
    entry = Entry(
        "backbone",
        declared.name,
        declared.load,
        declared.options,
        "",
        Owner("cilsim", "cilsim", ""),
    )
    generator = torch.Generator().manual_seed(seed)
    backbone: Backbone = entry.load()(entry.option_model()(), shape, generator)
    return backbone


NEEDS_OPTIONS = ("timm", "vit_b_16")
"""Backbones that have tests of their own: one needs a package, the other seconds to be built."""

quick = [declared for declared in BACKBONES if declared.name not in NEEDS_OPTIONS]
every = pytest.mark.parametrize("declared", quick, ids=lambda declared: declared.name)


@every
def test_features_have_the_declared_size(declared):
    shape = SHAPES[declared.accepts]
    backbone = build(declared, shape).eval()
    features = backbone(torch.randn(2, *shape))
    assert features.shape == (2, backbone.feature_size)
    assert features.isfinite().all()


@every
def test_weights_depend_on_the_generator_alone(declared):
    shape = SHAPES[declared.accepts]
    torch.manual_seed(1)
    first = build(declared, shape).state_dict()
    torch.manual_seed(2)
    second = build(declared, shape).state_dict()
    assert first.keys() == second.keys()
    assert all(torch.equal(first[name], second[name]) for name in first)


@every
def test_building_leaves_the_global_generator_alone(declared):
    before = torch.get_rng_state()
    build(declared, SHAPES[declared.accepts])
    assert torch.equal(torch.get_rng_state(), before)


@every
def test_no_weight_is_left_without_a_value(declared):
    shape = SHAPES[declared.accepts]
    one, other = build(declared, shape, 0), build(declared, shape, 0)
    for name, tensor in one.state_dict().items():
        assert tensor.device.type == "cpu"
        assert tensor.float().abs().max() < 10.0, name
        assert torch.equal(tensor, other.state_dict()[name]), name


REFUSALS = {
    "images": (
        "backbone '{name}': the data set gives features of shape (12), expected images; "
        "use 'mlp' or 'identity'"
    ),
    "features": (
        "backbone '{name}': the data set gives images of shape (3, 32, 32), expected features; "
        "use 'small' or 'resnet20'"
    ),
}


@every
def test_the_wrong_kind_of_sample_is_refused(declared):
    wrong = {"images": "features", "features": "images"}[declared.accepts]
    with pytest.raises(DataError) as caught:
        build(declared, SHAPES[wrong])
    assert str(caught.value) == REFUSALS[declared.accepts].format(name=declared.name)


def test_declarations_and_options_import_no_torch():
    modules = {"cilsim.backbones.builtin"}
    modules |= {declared.options.partition(":")[0] for declared in BACKBONES}
    code = f"import sys, {', '.join(sorted(modules))}; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
