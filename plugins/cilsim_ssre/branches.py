"""Side branches of a residual network: added before a training, merged into it afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import torch
from torch import Tensor, nn

from cilsim.backbones.residual import BasicBlock, ResidualNet
from cilsim.errors import CilsimError


def residual(backbone: nn.Module) -> ResidualNet:
    """Return the backbone if it is a residual network.

    Raises:
        CilsimError: it is not.
    """
    if isinstance(backbone, ResidualNet):
        return backbone
    raise CilsimError(
        f"strategy 'ssre' adds branches to the blocks of a residual network, the backbone is a "
        f"{type(backbone).__name__}; use 'small', 'resnet20', 'resnet32' or 'resnet18_cifar'"
    )


@torch.no_grad()
def fold_batch_norm(backbone: ResidualNet) -> None:
    """Move every batch norm into the convolution before it; the network computes the same.

    w becomes w gamma / sqrt(var + eps). The layers stay, so that stored weights keep their names,
    with scale 1, mean 0 and the shift beta - mean gamma / sqrt(var + eps) as their bias; doing it
    again changes nothing.
    """
    for convolution, norm in _pairs(backbone):
        assert norm.running_mean is not None  # batch norms of residual networks keep statistics
        assert norm.running_var is not None
        scale_C = norm.weight / (norm.running_var + norm.eps).sqrt()
        convolution.weight.mul_(scale_C.view(-1, 1, 1, 1))
        norm.bias.sub_(norm.running_mean * scale_C)
        norm.weight.fill_(1.0)
        norm.running_mean.zero_()
        norm.running_var.fill_(1.0 - norm.eps)


def new_branches(backbone: ResidualNet) -> nn.ModuleDict:
    """Return a 1x1 convolution of zeros, without bias, for each 3x3 convolution of the blocks."""
    branches = nn.ModuleDict()
    for name, convolution in _block_convolutions(backbone):
        outputs, inputs = convolution.weight.shape[:2]
        branch = nn.Conv2d(inputs, outputs, 1, stride=convolution.stride, bias=False)  # type: ignore[arg-type]
        nn.init.zeros_(branch.weight)
        branches[name.replace(".", "_")] = branch.to(convolution.weight.device)
    return branches


@contextmanager
def attached(branches: nn.ModuleDict, backbone: ResidualNet) -> Iterator[None]:
    """Add each branch's output to that of its convolution inside the block."""
    with ExitStack() as stack:
        for name, convolution in _block_convolutions(backbone):
            branch = branches[name.replace(".", "_")]
            handle = convolution.register_forward_hook(_adding(branch))
            stack.callback(handle.remove)
        yield


def _adding(branch: nn.Module) -> Callable[[nn.Module, tuple[Tensor], Tensor], Tensor]:
    def add(module: nn.Module, inputs: tuple[Tensor], output: Tensor) -> Tensor:
        result: Tensor = output + branch(inputs[0])
        return result

    return add


@torch.no_grad()
def merge(branches: nn.ModuleDict, backbone: ResidualNet) -> None:
    """Add each branch, padded with zeros to 3x3, to the weights of its convolution."""
    for name, convolution in _block_convolutions(backbone):
        branch = branches[name.replace(".", "_")]
        assert isinstance(branch, nn.Conv2d)  # new_branches made it
        convolution.weight[:, :, 1, 1] += branch.weight[:, :, 0, 0]


def _blocks(backbone: ResidualNet) -> Iterator[tuple[str, BasicBlock]]:
    for name, module in backbone.named_modules():
        if isinstance(module, BasicBlock):
            yield name, module


def _block_convolutions(backbone: ResidualNet) -> Iterator[tuple[str, nn.Conv2d]]:
    for name, block in _blocks(backbone):
        yield f"{name}.conv1", block.conv1
        yield f"{name}.conv2", block.conv2


def _pairs(backbone: ResidualNet) -> Iterator[tuple[nn.Conv2d, nn.BatchNorm2d]]:
    """Yield each convolution with the batch norm after it."""
    yield backbone.conv1, backbone.bn1
    for _, block in _blocks(backbone):
        yield block.conv1, block.bn1
        yield block.conv2, block.bn2
        if isinstance(block.downsample, nn.Sequential):
            convolution, norm = block.downsample
            assert isinstance(convolution, nn.Conv2d)  # the shortcut of He et al.
            assert isinstance(norm, nn.BatchNorm2d)
            yield convolution, norm
