import torch

from cilsim.backbones.backbone import fingerprint
from cilsim.features.cache import FeatureCache
from cilsim.features.extract import extract

MEGABYTE = 1 << 20
BYTES_OF_75 = 75 * 64 * 4


class DictStore:
    def __init__(self):
        self.states = {}
        self.facts = {}

    def get(self, kind, key):
        return self.states.get((kind, key))

    def put(self, kind, key, state, facts):
        self.states[kind, key] = {name: tensor.clone() for name, tensor in state.items()}
        self.facts[kind, key] = facts


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


def test_a_second_process_finds_features_in_the_store(parts):
    store, backbone, samples = DictStore(), parts.resnet(), parts.images()
    first = ask(FeatureCache(MEGABYTE, store), backbone, samples)
    later = FeatureCache(MEGABYTE, store)
    assert torch.equal(ask(later, backbone, samples), first)
    assert later.counter.images == 0
    assert list(store.facts.values()) == [{"samples": 75, "feature_size": 64}]
    assert [kind for kind, _ in store.states] == ["features"]


def test_stored_features_of_another_number_of_samples_are_not_used(parts):
    store, backbone, samples = DictStore(), parts.resnet(), parts.images()
    ask(FeatureCache(MEGABYTE, store), backbone, samples)
    for state in store.states.values():
        state["features"] = state["features"][:10]
    later = FeatureCache(MEGABYTE, store)
    assert torch.equal(ask(later, backbone, samples), extract(backbone, samples))
