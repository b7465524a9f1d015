from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from pattern_contract import PatternContract
from torch import Tensor, nn

from cilsim.backbones.options import CifarResNetOptions, SmallOptions
from cilsim.backbones.residual import ResidualNet, resnet20, small
from cilsim.testing import Project
from cilsim_ssre.branches import attached, fold_batch_norm, merge, new_branches
from cilsim_ssre.losses import resemblance, selected_cross_entropy, selected_distance


class TestSsre(PatternContract):
    strategy = "ssre"
    remembered = 0.8

    def test_keeps_one_vector_per_class(self, project: Project) -> None:
        outcome = project.run(self.scenario(project))
        kept = [dict(evaluation.kept) for evaluation in outcome.results[0].evaluations]
        assert kept == [{"prototypes": 4 * classes * 32} for classes in (6, 8, 10)]


class TestSsreHard(TestSsre):
    options = {"selection": "hard", "distillation_weight": 10.0}


def test_other_backbones_are_refused(tmp_path: Path) -> None:
    project = Project.create(tmp_path)
    outcome = project.run(project.ring_scenario("ssre"))
    assert [failure.message for failure in outcome.failures] == [
        "strategy 'ssre' adds branches to the blocks of a residual network, the backbone is a Mlp; "
        "use 'small', 'resnet20', 'resnet32' or 'resnet18_cifar'"
    ]


@pytest.fixture(scope="module")
def arrays(golden: Path) -> dict[str, Any]:
    loaded = dict(np.load(golden / "ssre_losses_fusion.npz", allow_pickle=False))
    return {name: torch.from_numpy(np.asarray(array)) for name, array in loaded.items()}


def losses(
    arrays: dict[str, Any], *, detach: bool = False
) -> tuple[dict[str, Tensor], Tensor, Tensor]:
    weight, head = arrays["W"].clone().requires_grad_(), arrays["fc_weight"].clone()
    head.requires_grad_()
    features = F.relu(arrays["x"] @ weight)
    old = F.relu(arrays["x"] @ arrays["W_old"])
    kept = resemblance(features, arrays["prototypes"])
    kept = kept.detach() if detach else kept
    logits = F.linear(features, head, arrays["fc_bias"])
    drawn = F.linear(arrays["proto_aug"], head, arrays["fc_bias"]) / 0.1
    terms = {
        "cos_max": kept,
        "loss_cls": selected_cross_entropy(logits, arrays["y"], kept, 0.1),
        "loss_kd": selected_distance(features, old, kept),
        "loss_protoAug": F.cross_entropy(drawn, arrays["proto_label"]),
    }
    return terms, weight, head


def test_losses_and_gradients_equal_the_released_code(arrays: dict[str, Any]) -> None:
    terms, weight, head = losses(arrays)
    total = terms["loss_cls"] + terms["loss_kd"] + 10.0 * terms["loss_protoAug"]
    total.backward()  # type: ignore[no-untyped-call]
    for name, found in {**terms, "loss": total}.items():
        np.testing.assert_allclose(found.detach(), arrays[name], rtol=1e-5, err_msg=name)
    np.testing.assert_allclose(weight.grad, arrays["grad_W"], atol=1e-3, rtol=1e-4)
    np.testing.assert_allclose(head.grad, arrays["grad_fc"], atol=1e-3, rtol=1e-4)


def test_detached_weights_give_another_gradient(arrays: dict[str, Any]) -> None:
    terms, weight, _ = losses(arrays, detach=True)
    (terms["loss_cls"] + terms["loss_kd"]).backward()  # type: ignore[no-untyped-call]
    np.testing.assert_allclose(weight.grad, arrays["grad_W_if_detached"], atol=1e-3, rtol=1e-4)


def test_the_prototypes_drawn_are_the_rows_of_their_labels(arrays: dict[str, Any]) -> None:
    assert torch.equal(arrays["prototypes"][arrays["proto_label"]], arrays["proto_aug"])


class OneBlock(nn.Module):
    """A network whose only block convolution is that of the golden arrays."""

    def __init__(self, weight: Tensor, bias: Tensor) -> None:
        super().__init__()
        outputs, inputs = weight.shape[:2]
        self.net = ResidualNet(3, (inputs, outputs), 1)
        self.convolution = self.net.layer2[0].conv1  # type: ignore[index, union-attr]
        self.norm = self.net.layer2[0].bn1  # type: ignore[index, union-attr]
        with torch.no_grad():
            self.convolution.weight.copy_(weight)
            self.norm.bias.copy_(bias)
            self.norm.running_var.fill_(1.0 - self.norm.eps)
        self.net.eval()

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.norm(self.convolution(x))
        return found


def test_merging_equals_the_released_code(arrays: dict[str, Any]) -> None:
    network = OneBlock(arrays["fuse_conv3_before"], arrays["fuse_bias"])
    branches = new_branches(network.net)
    with torch.no_grad():
        branches["layer2_0_conv1"].weight.copy_(arrays["fuse_adapter"])
        with attached(branches, network.net):
            beside = network(arrays["fuse_in"])
        merge(branches, network.net)
        merged = network(arrays["fuse_in"])
    np.testing.assert_allclose(
        network.convolution.weight.detach(), arrays["fuse_conv3_after"], atol=1e-6
    )
    np.testing.assert_allclose(beside, arrays["fuse_out_before"], atol=2e-5)
    np.testing.assert_allclose(merged, arrays["fuse_out_after"], atol=2e-5)


def test_folding_equals_the_released_code(arrays: dict[str, Any]) -> None:
    net = ResidualNet(3, (4,), 1)
    state = net.state_dict()
    for name in ("conv1.weight", "bn1.weight", "bn1.bias", "bn1.running_mean", "bn1.running_var"):
        state[name].copy_(arrays[f"fold_in_{name}"])
    fold_batch_norm(net)
    np.testing.assert_allclose(net.conv1.weight.detach(), arrays["fold_out_weight"], atol=1e-6)
    np.testing.assert_allclose(net.bn1.bias.detach(), arrays["fold_out_bias"], atol=1e-6)


def trained_net(seed: int, shortcut: str) -> ResidualNet:
    """A network whose batch norms have statistics, scales and shifts of their own."""
    generator = torch.Generator().manual_seed(seed)
    if shortcut == "small":
        net = small(SmallOptions(widths=(4, 6, 8)), (3, 8, 8), generator)
    else:
        options = CifarResNetOptions(shortcut=shortcut)  # type: ignore[arg-type]
        net = resnet20(options, (3, 8, 8), generator)
    assert isinstance(net, ResidualNet)
    with torch.no_grad():
        for part in net.modules():
            if isinstance(part, nn.BatchNorm2d):
                assert part.running_mean is not None
                assert part.running_var is not None
                part.running_mean.normal_(generator=generator)
                part.running_var.uniform_(0.5, 2.0, generator=generator)
                part.weight.uniform_(0.5, 1.5, generator=generator)
                part.bias.normal_(generator=generator)
    return net.eval()


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 100), shortcut=st.sampled_from(["conv", "pad", "small"]))
def test_folding_and_merging_leave_the_features_as_they_are(seed: int, shortcut: str) -> None:
    net = trained_net(seed, shortcut)
    generator = torch.Generator().manual_seed(seed)
    images = torch.randn(3, 3, 8, 8, generator=generator)
    with torch.no_grad():
        before = net(images)
        fold_batch_norm(net)
        torch.testing.assert_close(net(images), before, rtol=1e-3, atol=1e-3)
        once = {name: tensor.clone() for name, tensor in net.state_dict().items()}
        fold_batch_norm(net)
        for name, tensor in net.state_dict().items():
            torch.testing.assert_close(tensor, once[name], rtol=1e-5, atol=1e-6)
        branches = new_branches(net)
        with attached(branches, net):
            assert torch.equal(net(images), net.eval()(images))
            for branch in branches.parameters():
                branch.normal_(std=0.05, generator=generator)
            beside = net(images)
        merge(branches, net)
        torch.testing.assert_close(net(images), beside, rtol=1e-3, atol=1e-3)


def test_branches_start_at_zero_and_leave_no_trace_when_detached() -> None:
    net = trained_net(0, "small")
    images = torch.ones(2, 3, 8, 8)
    branches = new_branches(net)
    assert len(branches) == 6
    with torch.no_grad():
        plain = net(images)
        with attached(branches, net):
            assert torch.equal(net(images), plain)
            for branch in branches.parameters():
                branch.fill_(1.0)
            assert not torch.equal(net(images), plain)
        assert torch.equal(net(images), plain)


def test_the_losses_of_a_hand_made_case() -> None:
    """Row 0 is the prototype itself, row 1 at a right angle to it."""
    features = torch.tensor([[2.0, 0.0], [0.0, 3.0]])
    kept = resemblance(features, torch.tensor([[1.0, 0.0]]))
    assert kept.tolist() == [1.0, 0.0]
    logits, labels = torch.zeros(2, 4), torch.tensor([0, 1])
    classes = selected_cross_entropy(logits, labels, kept, 1.0)
    assert classes.item() == pytest.approx(np.log(4.0) / 2)
    assert selected_distance(features, torch.zeros(2, 2), kept).item() == 2.0
