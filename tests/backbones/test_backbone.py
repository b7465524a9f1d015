import copy

import torch

from cilsim.backbones.backbone import fingerprint
from cilsim.backbones.options import SmallOptions
from cilsim.backbones.residual import small


def net():
    return small(SmallOptions(), (3, 16, 16), torch.Generator().manual_seed(0))


def test_fingerprint_is_equal_for_equal_weights():
    assert fingerprint(net()) == fingerprint(net())
    assert len(fingerprint(net())) == 64


def test_fingerprint_does_not_depend_on_the_memory_layout():
    assert fingerprint(net().to(memory_format=torch.channels_last)) == fingerprint(net())


def test_fingerprint_changes_with_one_weight():
    other = net()
    with torch.no_grad():
        other.layer3[0].conv2.weight[0, 0, 0, 0] += 1e-3
    assert fingerprint(other) != fingerprint(net())


def test_fingerprint_changes_with_a_running_mean():
    other = net()
    other.bn1.running_mean[3] = 1.0
    assert fingerprint(other) != fingerprint(net())


def test_fingerprint_of_a_deep_copy_is_that_of_the_original():
    original = net()
    assert fingerprint(copy.deepcopy(original)) == fingerprint(original)
