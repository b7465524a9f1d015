import pytest
import torch
from torch.nn import functional as F

from cilsim.backbones.backbone import build_on_cpu
from cilsim.backbones.transformer import VisionTransformer, VitSize, vision_transformer, vit_b_16
from cilsim.backbones.transformer_options import VitOptions
from cilsim.backbones.weight_fitting import load_weights
from cilsim.errors import DataError

TINY = VitSize(image=16, patch=8, width=12, depth=3, heads=2)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def tiny(**options) -> VisionTransformer:
    built = vision_transformer(
        "tiny", TINY, VitOptions(**{"image_size": 16, **options}), (3, 16, 16), generator()
    )
    assert isinstance(built, VisionTransformer)
    return built.eval()


def by_hand(net: VisionTransformer, image: torch.Tensor) -> torch.Tensor:
    """Return all tokens after the last norm, computed token by token in float64."""
    w = {name: tensor.double() for name, tensor in net.state_dict().items()}
    patches = [image[:, y : y + 8, x : x + 8] for y in (0, 8) for x in (0, 8)]
    kernel, bias = w["patch_embed.proj.weight"], w["patch_embed.proj.bias"]
    embedded = [(kernel * patch.double()).sum((1, 2, 3)) + bias for patch in patches]
    tokens = torch.stack([w["cls_token"][0, 0], *embedded]) + w["pos_embed"][0]
    for block in range(TINY.depth):
        b = {k.removeprefix(f"blocks.{block}."): v for k, v in w.items()}
        tokens = tokens + attention_by_hand(norm(tokens, b["norm1.weight"], b["norm1.bias"]), b)
        inner = norm(tokens, b["norm2.weight"], b["norm2.bias"])
        inner = F.gelu(inner @ b["mlp.fc1.weight"].T + b["mlp.fc1.bias"])
        tokens = tokens + inner @ b["mlp.fc2.weight"].T + b["mlp.fc2.bias"]
    return norm(tokens, w["norm.weight"], w["norm.bias"])


def attention_by_hand(x: torch.Tensor, b: dict[str, torch.Tensor]) -> torch.Tensor:
    """Rows of `qkv` are query, key, value; within each lie the heads one after another."""
    width, each = TINY.width, TINY.width // TINY.heads
    rows = x @ b["attn.qkv.weight"].T + b["attn.qkv.bias"]
    query, key, value = rows[:, :width], rows[:, width : 2 * width], rows[:, 2 * width :]
    heads = []
    for head in range(TINY.heads):
        part = slice(head * each, (head + 1) * each)
        similarity = query[:, part] @ key[:, part].T / each**0.5
        heads.append(similarity.softmax(1) @ value[:, part])
    return torch.cat(heads, 1) @ b["attn.proj.weight"].T + b["attn.proj.bias"]


def norm(x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
    centred = x - x.mean(1, keepdim=True)
    return centred / (centred.square().mean(1, keepdim=True) + 1e-6).sqrt() * weight + bias


def shaken(net: VisionTransformer) -> VisionTransformer:
    """Give every weight a value far from zero, so that none can be mistaken."""
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator()) * 0.5)
    return net


def test_features_are_the_class_token_of_the_formulas_of_the_paper():
    net = shaken(tiny())
    images = torch.randn(2, 3, 16, 16, generator=generator(1))
    expected = torch.stack([by_hand(net, image)[0] for image in images])
    torch.testing.assert_close(net(images).double(), expected, rtol=1e-4, atol=1e-5)


def test_features_may_be_the_mean_of_the_patches():
    net = shaken(tiny(features="patch_mean"))
    images = torch.randn(2, 3, 16, 16, generator=generator(1))
    expected = torch.stack([by_hand(net, image)[1:].mean(0) for image in images])
    torch.testing.assert_close(net(images).double(), expected, rtol=1e-4, atol=1e-5)


def test_images_of_another_size_are_resized():
    net = tiny()
    images = torch.randn(2, 3, 32, 20)
    assert torch.equal(net(images), net(net.resizing(images)))
    assert net(images).shape == (2, 12)


def test_initial_weights_are_cut_off_normal_and_biases_zero():
    net = build_on_cpu(lambda: VisionTransformer(3, TINY), generator())
    weight = net.blocks[0].mlp.fc1.weight
    assert weight.abs().max() <= 0.04
    assert weight.std().item() == pytest.approx(0.02 * 0.8796, rel=0.05)
    assert (net.norm.weight == 1).all()
    assert all((p == 0).all() for name, p in net.named_parameters() if name.endswith("bias"))


def test_initial_weights_depend_on_the_generator_alone():
    before = torch.get_rng_state()
    first, second = tiny().state_dict(), tiny().state_dict()
    assert torch.equal(torch.get_rng_state(), before)
    assert all(torch.equal(first[name], second[name]) for name in first)


def trained(net: VisionTransformer) -> set[str]:
    """Return the parts that train, blocks by their number."""
    names = (name for name, parameter in net.named_parameters() if parameter.requires_grad)
    return {".".join(name.split(".")[: 2 if "blocks" in name else 1]) for name in names}


EVERYTHING = {
    "cls_token", "pos_embed", "patch_embed", "blocks.0", "blocks.1", "blocks.2", "norm",
}  # fmt: skip


@pytest.mark.parametrize(
    ("options", "parts"),
    [
        pytest.param({}, EVERYTHING, id="all"),
        pytest.param({"train_final_norm": False}, EVERYTHING - {"norm"}, id="all but the norm"),
        pytest.param({"trainable_blocks": 1}, {"blocks.2"}, id="as category discovery"),
        pytest.param(
            {"trainable_blocks": 2, "train_final_norm": True},
            {"blocks.1", "blocks.2", "norm"},
            id="two and the norm",
        ),
        pytest.param({"trainable_blocks": 0}, set(), id="none"),
        pytest.param({"frozen": True}, set(), id="frozen"),
    ],
)
def test_what_trains_can_be_chosen(options, parts):
    assert trained(tiny(**options)) == parts


def test_gradients_reach_the_last_block_alone():
    net = tiny(trainable_blocks=1)
    net(torch.randn(2, 3, 16, 16)).square().sum().backward()
    with_gradient = {name for name, p in net.named_parameters() if p.grad is not None}
    assert with_gradient == {name for name, _ in net.named_parameters() if "blocks.2" in name}


def test_two_backward_passes_are_equal():
    gradients = []
    for _ in range(2):
        net = tiny()
        net(torch.randn(8, 3, 16, 16, generator=generator(3))).square().mean().backward()
        gradients.append(net.cls_token.grad)
    assert torch.equal(*gradients)


def test_frozen_and_something_to_train_exclude_each_other():
    with pytest.raises(ValueError, match="frozen leaves nothing to train; leave out frozen or"):
        VitOptions(frozen=True, trainable_blocks=2)


def test_features_instead_of_images_are_refused():
    with pytest.raises(DataError) as caught:
        vit_b_16(VitOptions(), (12,), generator())
    assert str(caught.value) == (
        "backbone 'vit_b_16': the data set gives features of shape (12), expected images; "
        "use 'mlp' or 'identity'"
    )


def test_vit_b_16_has_the_size_of_the_paper():
    with torch.device("meta"):
        net = VisionTransformer(3, VitSize())
    assert sum(parameter.numel() for parameter in net.parameters()) == 85_798_656
    assert net.feature_size == 768
    assert net.pos_embed.shape == (1, 197, 768)


def torchvision_tiny():
    from torchvision.models.vision_transformer import VisionTransformer as Torchvision

    reference = Torchvision(16, 8, 3, 2, 12, 48)
    with torch.no_grad():
        for parameter in reference.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator()) * 0.3)
    return reference.eval()


def test_weights_of_torchvision_give_its_features():
    reference = torchvision_tiny()
    net = tiny()
    load_weights(net, reference.state_dict(), "weights")
    reference.heads = torch.nn.Identity()
    images = torch.randn(3, 3, 16, 16, generator=generator(1))
    torch.testing.assert_close(net(images), reference(images), rtol=1e-5, atol=1e-5)


def test_weights_of_timm_give_its_features():
    models = pytest.importorskip("timm.models.vision_transformer")
    reference = models.VisionTransformer(
        img_size=16, patch_size=8, embed_dim=12, depth=3, num_heads=2, num_classes=5
    ).eval()
    net = tiny()
    load_weights(net, reference.state_dict(), "weights")
    images = torch.randn(3, 3, 16, 16, generator=generator(1))
    expected = reference.forward_head(reference.forward_features(images), pre_logits=True)
    torch.testing.assert_close(net(images), expected, rtol=1e-6, atol=1e-6)


@pytest.mark.slow
def test_vit_b_16_can_be_built_and_gives_768_features():
    net = vit_b_16(VitOptions(trainable_blocks=1), (3, 32, 32), generator()).eval()
    with torch.inference_mode():
        features = net(torch.randn(2, 3, 32, 32, generator=generator(1)))
    assert features.shape == (2, 768)
    assert features.isfinite().all()
    assert sum(p.numel() for p in net.parameters() if p.requires_grad) == 7_087_872


def test_norm_eps_reaches_every_layer_norm():
    net = tiny(norm_eps=1e-5)
    norms = [module for module in net.modules() if isinstance(module, torch.nn.LayerNorm)]
    assert [one.eps for one in norms] == [1e-5] * 7
