from dataclasses import replace

import pytest
import torch
from torch import nn

from cilsim.backbones.backbone import fingerprint
from cilsim.backbones.dense import identity
from cilsim.backbones.options import IdentityOptions
from cilsim.features.cache import FeatureCache
from cilsim.features.extract import extract
from cilsim.features.shards import FeatureShards
from cilsim.results.cache import ContentStore

MEGABYTE = 1 << 20
BYTES_OF_75 = 75 * 64 * 4


def ask(cache, backbone, samples, **changes):
    return cache.features(backbone, fingerprint(backbone), samples, **changes)


def test_each_image_is_forwarded_once_per_backbone_version(parts):
    cache, backbone = FeatureCache(MEGABYTE), parts.resnet()
    for _ in range(3):
        for count in (75, 40):
            ask(cache, backbone, parts.images(count))
    assert cache.counter.images == 115
    with torch.no_grad():
        backbone.conv1.weight += 0.1
    ask(cache, backbone, parts.images(75))
    assert cache.counter.images == 190


def test_cached_features_are_those_extracted(parts):
    cache, backbone, samples = FeatureCache(MEGABYTE), parts.resnet(), parts.images()
    first, second = ask(cache, backbone, samples), ask(cache, backbone, samples)
    assert second is first
    assert torch.equal(first, extract(backbone, samples))


def test_view_precision_and_chunk_are_kept_apart(parts):
    cache, backbone, samples = FeatureCache(MEGABYTE), parts.resnet(), parts.images()
    for changes in ({}, {"view": "mirror"}, {"precision": "bf16"}, {"chunk": 16}):
        features = ask(cache, backbone, samples, **changes)
        assert torch.equal(features, extract(backbone, samples, **changes))
    assert cache.counter.images == 4 * 75


def test_the_default_chunk_has_the_same_key_every_time(parts):
    cache, backbone, samples = FeatureCache(MEGABYTE), parts.resnet(), parts.images()
    ask(cache, backbone, samples)
    ask(cache, backbone, samples, chunk=None)
    assert cache.counter.images == 75


def test_the_least_recently_used_is_dropped(parts):
    cache, backbone = FeatureCache(2 * BYTES_OF_75), parts.resnet()
    first, second, third = parts.images(75), parts.images(74), parts.images(73)
    for samples in (first, second, first, third):
        ask(cache, backbone, samples)
    assert cache.counter.images == 75 + 74 + 73
    assert cache.bytes_kept == (75 + 73) * 64 * 4
    ask(cache, backbone, first)
    assert cache.counter.images == 75 + 74 + 73
    ask(cache, backbone, second)
    assert cache.counter.images == 75 + 74 + 73 + 74


def test_what_exceeds_the_limit_is_returned_and_not_kept(parts):
    cache, backbone = FeatureCache(BYTES_OF_75 - 1), parts.resnet()
    assert ask(cache, backbone, parts.images()).shape == (75, 64)
    assert cache.bytes_kept == 0


def test_features_changed_in_place_are_extracted_again(parts):
    cache, backbone, samples = FeatureCache(MEGABYTE), parts.resnet(), parts.images()
    ask(cache, backbone, samples).mul_(2.0)
    assert torch.equal(ask(cache, backbone, samples), extract(backbone, samples))
    assert cache.counter.images == 150


def test_a_cleared_cache_keeps_nothing(parts):
    cache, backbone, samples = FeatureCache(MEGABYTE), parts.resnet(), parts.images()
    ask(cache, backbone, samples)
    cache.clear()
    assert cache.bytes_kept == 0


def test_features_of_other_moments_are_other_features(parts):
    cache, backbone, samples = FeatureCache(MEGABYTE), parts.resnet(), parts.images()
    other = replace(samples, mean=(0.4, 0.5, 0.6))
    first, second = ask(cache, backbone, samples), ask(cache, backbone, other)
    assert torch.equal(second, extract(backbone, other))
    assert not torch.equal(first, second)


def shards(folder, **options):
    return FeatureShards(ContentStore(folder / "store"), **options)


def test_a_later_command_finds_features_on_the_disk(parts, tmp_path):
    backbone, samples = parts.resnet(), parts.images()
    cache = FeatureCache(MEGABYTE, shards(tmp_path))
    first = ask(cache, backbone, samples)
    cache.flush()
    later = FeatureCache(MEGABYTE, shards(tmp_path))
    assert torch.equal(ask(later, backbone, samples), first)
    assert later.counter.images == 0
    assert ask(later, backbone, samples) is ask(later, backbone, samples)


@pytest.mark.parametrize(
    "change",
    [
        {"facts": {"backbone": ["small", {"width": 32}]}},
        {"facts": {"threads": 2}},
        {"precision": "bf16"},
        {"view": "mirror"},
        {"chunk": 16},
        {"weights": 1},
        {"std": (0.2, 0.25, 0.3)},
        {"digest": "other samples"},
        {"count": 74},
        {"torch": "0.0"},
        {"version": 0},
        {"code": "changed"},
    ],
    ids=lambda change: next(iter(change)) + "-" + str(next(iter(change.values())))[:12],
)
def test_whatever_features_depend_on_is_in_their_key(parts, tmp_path, monkeypatch, change):
    first = FeatureCache(MEGABYTE, shards(tmp_path), {"threads": 1})
    ask(first, parts.resnet(), parts.images())
    first.flush()
    if "torch" in change:
        monkeypatch.setattr(torch, "__version__", change["torch"])
    if "version" in change:
        monkeypatch.setattr("cilsim.features.cache.EXTRACTION_VERSION", change["version"])
    if "code" in change:
        monkeypatch.setattr("cilsim.features.cache.code_of", lambda backbone: change["code"])
    samples = parts.images(change.get("count", 75))
    told = {name: change[name] for name in ("std", "digest") if name in change}
    asked = {name: change[name] for name in ("precision", "view", "chunk") if name in change}
    later = FeatureCache(MEGABYTE, shards(tmp_path), {"threads": 1, **change.get("facts", {})})
    ask(later, parts.resnet(seed=change.get("weights", 0)), replace(samples, **told), **asked)
    assert later.counter.images == len(samples)


def test_weights_that_will_not_come_again_leave_nothing_on_the_disk(parts, tmp_path):
    cache = FeatureCache(MEGABYTE, shards(tmp_path))
    ask(cache, parts.resnet(), parts.images(), lasting=False)
    cache.flush()
    assert not (tmp_path / "store").exists()


def test_what_passes_features_through_leaves_nothing_on_the_disk(parts, tmp_path):
    cache = FeatureCache(MEGABYTE, shards(tmp_path))
    ask(cache, identity(IdentityOptions(), (6,), torch.Generator()), parts.features())
    cache.flush()
    assert not (tmp_path / "store").exists()


def test_large_features_are_mapped_from_the_disk_and_the_same(parts, tmp_path):
    backbone, samples = parts.resnet(), parts.images()
    mapped = FeatureCache(0, shards(tmp_path, shard_bytes=1), mapped_bytes=BYTES_OF_75 - 1)
    first = ask(mapped, backbone, samples)
    assert torch.equal(first, extract(backbone, samples))
    assert ask(mapped, backbone, samples) is first
    assert mapped.bytes_kept == 0
    later = FeatureCache(0, shards(tmp_path), mapped_bytes=BYTES_OF_75 - 1)
    assert torch.equal(ask(later, backbone, samples), first)
    assert later.counter.images == 0
    assert later.bytes_kept == 0
    assert ask(later, backbone, samples).data_ptr() % 64 == 0


@pytest.mark.parametrize("mapped_bytes", [MEGABYTE, 1], ids=["in memory", "mapped"])
def test_features_asked_for_in_inference_mode_are_as_good(parts, tmp_path, mapped_bytes):
    backbone, samples = parts.resnet(), parts.images()
    for _ in range(2):
        cache = FeatureCache(MEGABYTE, shards(tmp_path), mapped_bytes=mapped_bytes)
        with torch.inference_mode():
            found = ask(cache, backbone, samples)
            assert ask(cache, backbone, samples) is found
        assert not found.is_inference()
        cache.flush()


def test_mapped_features_that_were_changed_are_read_again(parts, tmp_path):
    backbone, samples = parts.resnet(), parts.images()
    cache = FeatureCache(0, shards(tmp_path, shard_bytes=1), mapped_bytes=1)
    ask(cache, backbone, samples)
    later = FeatureCache(0, shards(tmp_path), mapped_bytes=1)
    ask(later, backbone, samples).mul_(2.0)
    assert torch.equal(ask(later, backbone, samples), extract(backbone, samples))
    assert later.counter.images == 0


class Hungry(nn.Module):
    """Has no memory for more than so many samples."""

    def __init__(self, most, error):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(6, 6))
        self.most, self.error, self.sizes = most, error, []

    def forward(self, x):
        self.sizes.append(len(x))
        if len(x) > self.most:
            raise self.error
        return x @ self.weight


NO_MEMORY = RuntimeError("[enforce fail at x.cpp] DefaultCPUAllocator: can't allocate memory: no")


def test_a_chunk_for_which_there_is_no_memory_is_halved_for_good(parts, caplog):
    cache, backbone, samples = FeatureCache(MEGABYTE), Hungry(8, NO_MEMORY), parts.features(20)
    found = ask(cache, backbone, samples)
    assert backbone.sizes == [32, 16, 8, 8, 8]
    torch.testing.assert_close(found, samples.x @ backbone.weight)
    assert ask(cache, backbone, samples) is found
    ask(cache, backbone, parts.features(5))
    assert backbone.sizes == [32, 16, 8, 8, 8, 8]
    assert caplog.messages == [
        f"features: {size} samples at once exceed the memory of cpu; {size // 2} are used from "
        "here on, which may change features by rounding"
        for size in (32, 16)
    ]


def test_where_one_sample_is_too_many_the_error_is_raised(parts):
    with pytest.raises(RuntimeError, match="can't allocate memory"):
        ask(FeatureCache(MEGABYTE), Hungry(0, NO_MEMORY), parts.features(2))


def test_other_errors_of_the_backbone_halve_nothing(parts):
    backbone = Hungry(0, RuntimeError("no forward pass"))
    with pytest.raises(RuntimeError, match=r"^no forward pass$"):
        ask(FeatureCache(MEGABYTE), backbone, parts.features(2))
    assert backbone.sizes == [32]
