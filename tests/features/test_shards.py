import logging

import pytest
import torch

from cilsim.features import shards as shards_module
from cilsim.features.shards import FeatureShards
from cilsim.results.cache import ContentStore


@pytest.fixture
def store(tmp_path):
    return ContentStore(tmp_path / "store")


def rows(count, seed=0):
    return torch.randn(count, 5, generator=torch.Generator().manual_seed(seed))


def written(store, parts, **options):
    shards = FeatureShards(store, {"backbone": "small"}, **options)
    for (context, part), features in parts.items():
        shards.put((context, part), features)
    shards.flush()
    return shards


THREE = {("c1", "a"): rows(3), ("c1", "b"): rows(7, 1), ("c2", "a"): rows(2, 2)}


def test_parts_of_a_run_share_a_file_per_backbone_version(store):
    written(store, THREE)
    assert [(entry.kind, entry.facts) for entry in store.entries()] == [
        ("features", {"backbone": "small", "samples": 10, "feature_size": 5,
                      "parts": [["b", 7], ["a", 3]]}),
        ("features", {"backbone": "small", "samples": 2, "feature_size": 5, "parts": [["a", 2]]}),
    ]  # fmt: skip


def test_another_process_finds_them(store):
    written(store, THREE)
    later = FeatureShards(store)
    assert {place: later.get(place).tolist() for place in THREE} == {
        place: features.tolist() for place, features in THREE.items()
    }
    assert later.get(("c1", "c")) is None
    assert later.get(("c3", "a")) is None


def test_what_waits_is_found_and_nothing_is_written_before(store):
    shards = FeatureShards(store)
    shards.put(("c", "a"), rows(3))
    assert torch.equal(shards.get(("c", "a")), rows(3))
    assert store.entries() == []


def test_enough_of_it_is_written_at_once(store):
    shards = FeatureShards(store, shard_bytes=4 * 5 * 10)
    shards.put(("c", "a"), rows(9))
    assert store.entries() == []
    shards.put(("c", "b"), rows(1))
    assert [entry.facts["samples"] for entry in store.entries()] == [10]


def test_flushing_twice_writes_once(store):
    shards = written(store, THREE)
    before = [entry.used for entry in store.entries()]
    shards.flush()
    assert [entry.used for entry in store.entries()] == before


def test_parts_that_come_later_get_a_file_of_their_own(store):
    shards = written(store, THREE)
    assert shards.get(("c1", "a")) is not None
    shards.put(("c1", "z"), rows(4, 3))
    shards.flush()
    assert torch.equal(shards.get(("c1", "z")), rows(4, 3))
    assert torch.equal(FeatureShards(store).get(("c1", "a")), rows(3))
    assert len(store.entries()) == 3


def test_features_that_were_changed_while_they_waited_are_not_written(store):
    shards, features = FeatureShards(store), rows(3)
    shards.put(("c", "a"), features)
    features.zero_()
    assert shards.get(("c", "a")) is None
    shards.flush()
    assert store.entries() == []


def test_empty_parts_are_not_written(store):
    written(store, {("c", "a"): rows(0)})
    assert store.entries() == []


def test_a_shard_is_verified_once(store, monkeypatch):
    written(store, THREE)
    looks = []
    real = shards_module.map_rows
    monkeypatch.setattr(shards_module, "map_rows", lambda path: looks.append(path) or real(path))
    later = FeatureShards(store)
    for _ in range(3):
        for part in ("a", "b"):
            later.get(("c1", part))
    assert len(looks) == 1


@pytest.mark.parametrize("name", ["tensors.safetensors", "state.json"])
@pytest.mark.parametrize("damage", ["changed", "cut", "missing"])
def test_a_damaged_shard_is_named_removed_and_made_again(store, caplog, name, damage):
    written(store, {("c", "a"): rows(3)})
    (path,) = store.root.rglob(name)
    content = path.read_bytes()
    if damage == "missing":
        path.unlink()
    else:
        path.write_bytes(content[:-1] + (b"" if damage == "cut" else b"?"))
    later = FeatureShards(store)
    with caplog.at_level(logging.WARNING):
        assert later.get(("c", "a")) is None
    [message] = caplog.messages
    assert message.startswith(f"{path}: is ")
    assert message.endswith("; this cache entry is removed")
    assert store.entries() == []
    later.put(("c", "a"), rows(3))
    later.flush()
    assert torch.equal(FeatureShards(store).get(("c", "a")), rows(3))


def test_a_shard_that_another_process_removes_is_missed_or_still_there(store):
    written(store, THREE)
    opened, known = FeatureShards(store), FeatureShards(store)
    assert opened.get(("c1", "a")) is not None
    assert known.get(("c1", "x")) is None  # it has looked where parts are
    store.clear()
    assert torch.equal(opened.get(("c1", "b")), THREE["c1", "b"])
    assert known.get(("c1", "a")) is None


def test_what_exceeds_the_cache_is_not_written_and_a_line_says_so(tmp_path, caplog):
    small = ContentStore(tmp_path / "store", limit_bytes=100)
    written(small, {("c", "a"): rows(6)})
    assert small.entries() == []
    assert caplog.messages == [
        "features of 6 samples take 120 bytes, more than the 100 of the cache; "
        "they are not kept beyond this command"
    ]


def test_a_place_that_cannot_be_written_costs_only_a_warning(tmp_path, caplog):
    (tmp_path / "file").touch()
    shards = written(ContentStore(tmp_path / "file" / "store"), THREE)
    assert set(caplog.messages) == {
        f"{tmp_path}/file/store: cannot be written: Not a directory; nothing is cached"
    }
    assert shards.get(("c1", "a")) is None


def test_no_pickle_is_written(store):
    written(store, THREE)
    names = {path.name for path in store.root.rglob("*") if path.is_file()}
    assert names == {"state.json", "tensors.safetensors", ".lock"}
