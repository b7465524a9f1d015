import pytest
import torch

from cilsim.backbones.weight_names import renamed
from cilsim.errors import CheckpointError


def names(*given: str) -> list[str]:
    return list(renamed({name: torch.zeros(1) for name in given}, "weights 'w.pt'"))


@pytest.mark.parametrize(
    ("given", "ours"),
    [
        pytest.param("layer1.0.conv1.weight", "layer1.0.conv1.weight", id="torchvision"),
        pytest.param("module.conv1.weight", "conv1.weight", id="DataParallel"),
        pytest.param("module.encoder.bn1.bias", "bn1.bias", id="TEEN"),
        pytest.param("backbone.norm.weight", "norm.weight", id="in a model"),
        pytest.param("blocks.11.attn.qkv.weight", "blocks.11.attn.qkv.weight", id="timm, DINO"),
        pytest.param("class_token", "cls_token", id="class token"),
        pytest.param("conv_proj.bias", "patch_embed.proj.bias", id="patches"),
        pytest.param("encoder.pos_embedding", "pos_embed", id="positions"),
        pytest.param("encoder.ln.weight", "norm.weight", id="last norm"),
        pytest.param(
            "encoder.layers.encoder_layer_7.ln_2.bias", "blocks.7.norm2.bias", id="norm of a block"
        ),
        pytest.param(
            "encoder.layers.encoder_layer_10.self_attention.in_proj_weight",
            "blocks.10.attn.qkv.weight",
            id="query, key, value",
        ),
        pytest.param(
            "encoder.layers.encoder_layer_0.self_attention.out_proj.bias",
            "blocks.0.attn.proj.bias",
            id="projection",
        ),
        pytest.param(
            "encoder.layers.encoder_layer_0.mlp.0.weight", "blocks.0.mlp.fc1.weight", id="first"
        ),
        pytest.param(
            "encoder.layers.encoder_layer_0.mlp.linear_2.weight",
            "blocks.0.mlp.fc2.weight",
            id="second, older torchvision",
        ),
    ],
)
def test_names_of_other_libraries_become_ours(given, ours):
    assert names(given) == [ours]


def test_classifiers_are_left_out():
    assert names(
        "fc.weight", "module.fc.bias", "heads.head.weight", "head.weight", "classifier.0.weight",
        "backbone.linear.bias", "pre_logits.fc.weight", "conv1.weight",
    ) == ["conv1.weight"]  # fmt: skip


def test_of_a_state_of_cilsim_the_backbone_is_taken():
    stored = ("0:['model']['backbone']['conv1.weight']", "1:['model']['head']['weight']", "2:['x']")
    assert names(*stored) == ["conv1.weight"]


def test_two_networks_in_one_file_are_refused():
    with pytest.raises(CheckpointError) as caught:
        names("encoder.conv1.weight", "conv1.weight")
    assert str(caught.value) == (
        "weights 'w.pt' have several networks inside: two tensors are 'conv1.weight' without "
        "prefix; save one of the networks by itself"
    )
