import dataclasses

import pytest
import torch
from torch import nn

from cilsim.backbones.resizing import Resizing
from cilsim.data.samples import Samples
from cilsim.features.chunks import chunk_for
from cilsim.features.extract import extract

CPU, CUDA, MPS = (torch.device(kind) for kind in ("cpu", "cuda", "mps"))


def images(side):
    x = torch.zeros(1, 3, side, side, dtype=torch.uint8)
    return Samples(x, None, torch.arange(1), "", (0.5,) * 3, (0.5,) * 3)


@pytest.mark.parametrize(
    ("side", "on_cpu", "on_gpu"),
    [(8, 32, 512), (32, 32, 512), (64, 32, 512), (84, 16, 256), (128, 8, 128), (224, 4, 64),
     (1000, 4, 64)],
)  # fmt: skip
def test_large_images_pass_in_smaller_chunks(side, on_cpu, on_gpu):
    found = [chunk_for(nn.Identity(), images(side), device) for device in (CPU, CUDA, MPS)]
    assert found == [on_cpu, on_gpu, on_cpu]


def test_features_pass_in_the_largest_chunks():
    samples = Samples(torch.zeros(1, 1000), None, torch.arange(1), "", (), ())
    assert [chunk_for(nn.Identity(), samples, device) for device in (CPU, CUDA)] == [32, 512]


def test_what_counts_is_the_size_after_the_crop():
    assert chunk_for(nn.Identity(), dataclasses.replace(images(256), crop=224), CPU) == 4


def test_what_counts_is_the_size_that_the_network_resizes_to():
    network = nn.Sequential(Resizing(224), nn.Flatten())
    assert chunk_for(network, images(32), CPU) == 4


def test_a_part_of_any_size_passes_in_the_same_chunk():
    class Sizes(nn.Flatten):
        def __init__(self):
            super().__init__()
            self.seen = set()

        def forward(self, x):
            self.seen.add(len(x))
            return super().forward(x)

    network = Sizes()
    for count in (1, 5, 33):
        x = images(84).x.expand(count, 3, 84, 84)
        extract(network, dataclasses.replace(images(84), x=x, index=torch.arange(count)))
    assert network.seen == {16}
