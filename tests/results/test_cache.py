from __future__ import annotations

import logging
import os
from hashlib import sha256
from pathlib import Path

import pytest
import torch

from cilsim.errors import CheckpointError
from cilsim.results.cache import ContentStore, content_key
from cilsim.results.cache_entry import CacheEntry
from cilsim.results.lock import FolderLock


@pytest.fixture
def store(tmp_path):
    return ContentStore(tmp_path / "cache")


def state(value, size=2):
    return {"features": torch.full((size,), value)}


def value_of(found):
    return None if found is None else found["features"][0].item()


def keys(store):
    return [entry.key for entry in store.entries()]


def test_a_key_is_the_hash_of_the_facts_whatever_their_order():
    key = content_key({"data": "d1", "lr": 0.1})
    assert key == content_key({"lr": 0.1, "data": "d1"})
    assert key == sha256(b'{"data":"d1","lr":0.1}').hexdigest()
    assert key != content_key({"data": "d1", "lr": 0.2})


def test_a_key_of_facts_that_are_no_json_is_refused():
    with pytest.raises(TypeError, match=r"^Object of type PosixPath is not JSON serializable$"):
        content_key({"path": Path("x")})


def test_a_state_comes_back_under_its_kind_and_key(store):
    store.put("features", "k1", state(1.0), {})
    assert value_of(store.get("features", "k1")) == 1.0
    assert store.get("features", "k2") is None
    assert store.get("backbone", "k1") is None


def test_an_empty_store_makes_no_folder(store):
    assert store.get("features", "k1") is None
    assert store.entries() == []
    assert store.clear() == 0
    assert not store.root.exists()


def test_tensors_go_to_the_asked_device(store):
    store.put("features", "k1", state(1.0), {})
    assert store.get("features", "k1", "meta")["features"].device.type == "meta"


def test_entries_say_what_is_stored_and_when_it_was_used(store, monkeypatch):
    monkeypatch.setattr("time.time_ns", lambda: 1_500_000_000)
    store.put("features", "k1", state(1.0), {"data": "ring"})
    size = sum(path.stat().st_size for path in (store.root / "features" / "k1").iterdir())
    assert store.entries() == [CacheEntry("features", "k1", size, 1.5, {"data": "ring"})]


def test_the_least_recently_used_entries_make_room(store):
    for key in ("a", "b", "c"):
        store.put("features", key, state(1.0, size=1000), {})
    assert value_of(store.get("features", "a")) == 1.0
    one = store.entries()[0].bytes
    smaller = ContentStore(store.root, limit_bytes=3 * one + 10)
    smaller.put("backbone", "d", state(1.0, size=1000), {})
    assert keys(store) == ["c", "a", "d"]


def test_a_state_beyond_the_limit_pushes_nothing_out(store, caplog):
    store.put("features", "a", state(1.0), {})
    size = store.entries()[0].bytes
    ContentStore(store.root, limit_bytes=1000).put("features", "b", state(1.0, size=1000), {})
    assert keys(store) == ["a"]
    assert size < 1000
    [message] = caplog.messages
    assert message.startswith(f"{store.root}/features/b: ")
    assert message.endswith(" bytes exceed the cache limit of 1000; nothing is cached")


@pytest.mark.parametrize("file", ["state.json", "tensors.safetensors"])
def test_a_damaged_entry_is_named_removed_and_not_used(store, caplog, file):
    store.put("features", "a", state(1.0), {})
    path = store.root / "features" / "a" / file
    path.write_bytes(path.read_bytes()[:-3] + b"xyz")
    with caplog.at_level(logging.WARNING):
        assert store.get("features", "a") is None
    [message] = caplog.messages
    assert message.startswith(f"{path}: is damaged: ")
    assert message.endswith("; this cache entry is removed")
    assert store.entries() == []
    assert store.get("features", "a") is None
    assert len(caplog.messages) == 1


def test_a_damaged_entry_is_listed_without_facts(store):
    store.put("features", "a", state(1.0), {"data": "ring"})
    (store.root / "features" / "a" / "state.json").write_text("{")
    assert [(entry.key, entry.facts) for entry in store.entries()] == [("a", {})]


def test_clearing_one_kind_keeps_the_others(store):
    store.put("features", "a", state(1.0), {})
    store.put("features", "b", state(1.0), {})
    store.put("backbone", "c", state(1.0), {})
    assert store.clear("features") == 2
    assert keys(store) == ["c"]
    assert store.clear() == 1
    assert store.entries() == []


def test_an_entry_can_be_stored_again(store):
    store.put("features", "a", state(1.0), {})
    store.put("features", "a", state(2.0), {})
    assert value_of(store.get("features", "a")) == 2.0
    assert keys(store) == ["a"]


def test_what_a_killed_writer_left_is_no_entry_and_is_removed(store):
    store.put("features", "a", state(1.0), {})
    stale = store.root / "features" / ".tmp-1234-b"
    stale.mkdir()
    assert keys(store) == ["a"]
    store.put("features", "c", state(1.0), {})
    assert not stale.exists()


def test_a_state_that_cannot_be_stored_is_an_error(store):
    with pytest.raises(CheckpointError):
        store.put("features", "a", {"bad": object()}, {})
    assert store.entries() == []


@pytest.mark.parametrize("name", ["", "..", "a/b", ".hidden"])
def test_a_name_that_is_no_folder_name_is_refused(store, name):
    with pytest.raises(ValueError, match=r"^'.*' cannot name a cache entry$"):
        store.get("features", name)
    with pytest.raises(ValueError, match=r"^'.*' cannot name a cache entry$"):
        store.put(name, "key", {}, {})


def test_a_store_that_cannot_be_written_costs_only_a_warning(tmp_path, caplog):
    (tmp_path / "cache").touch()
    store = ContentStore(tmp_path / "cache" / "below")
    store.put("features", "a", state(1.0), {})
    assert caplog.messages == [
        f"{tmp_path}/cache/below: cannot be written: Not a directory; nothing is cached"
    ]
    assert store.get("features", "a") is None


def test_a_store_that_can_only_be_read_is_read(store, monkeypatch, caplog):
    def refuse(*arguments, **options):
        raise PermissionError(1, "Operation not permitted")

    store.put("features", "a", state(1.0), {})
    monkeypatch.setattr(os, "utime", refuse)
    monkeypatch.setattr(FolderLock, "acquire", refuse)
    assert value_of(store.get("features", "a")) == 1.0
    assert caplog.messages == []


def test_two_processes_that_write_and_clear_leave_a_sound_store(store, start_python, caplog):
    script = """
import sys
from pathlib import Path
import torch
from cilsim.results.cache import ContentStore
store = ContentStore(Path(sys.argv[1]), limit_bytes=20_000)
for i in range(60):
    key = f"k{i % 7}"
    found = store.get("features", key)
    assert found is None or found["features"].eq(i % 7).all()
    store.put("features", key, {"features": torch.full((1000,), i % 7)}, {"i": i % 7})
    if i % 20 == 19:
        store.clear()
print("sound")
"""
    processes = [start_python(script, store.root) for _ in range(2)]
    assert [process.communicate(timeout=100)[0] for process in processes] == ["sound\n"] * 2
    for key in keys(store):
        assert value_of(store.get("features", key)) == int(key[1:])
    assert caplog.messages == []
    assert sum(entry.bytes for entry in store.entries()) <= 20_000
