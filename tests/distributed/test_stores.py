"""What the first process has on its disk, in the hands of all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from cilsim.distributed import folder_copies
from cilsim.distributed.folder_copies import copy_folder
from cilsim.features.shards import FeatureShards
from cilsim.features.shared_shards import SharedShards
from cilsim.results.cache import ContentStore
from cilsim.results.shared_store import SharedStore

PLACE = ("0" * 64, "digest")


def roots(tmp_path: Path) -> list[Path]:
    return [tmp_path / "first", tmp_path / "second"]


def test_a_state_of_the_first_process_is_handed_to_all(together: Any, tmp_path: Path):
    weight = torch.randn(4, 3, 2, 2).to(memory_format=torch.channels_last)
    state = {"weight": weight, "steps": 7, "scalars": [{"loss": 0.5}], "half": weight[0].half()}

    def act(processes: Any) -> Any:
        store = SharedStore(ContentStore(roots(tmp_path)[processes.rank]), processes)
        assert store.get("base", "a" * 8) is None
        with store.making("base", "a" * 8):
            store.put("base", "a" * 8, state, {})
        return store.get("base", "a" * 8)

    for found in together(2, act):
        assert (found["steps"], found["scalars"]) == (7, [{"loss": 0.5}])
        assert torch.equal(found["weight"], weight)
        assert found["weight"].stride() == weight.stride()
        assert torch.equal(found["half"], weight[0].half())
    assert roots(tmp_path)[0].is_dir()
    assert not roots(tmp_path)[1].exists()


def test_features_of_the_first_process_are_handed_to_all(together: Any, tmp_path: Path):
    features_ND = torch.randn(5, 3)

    def act(processes: Any) -> Any:
        shards = FeatureShards(ContentStore(roots(tmp_path)[processes.rank]))
        shared = SharedShards(shards, processes, mapped_bytes=32)
        assert shared.get(PLACE) is None
        shared.put(PLACE, features_ND)
        shared.flush()
        return shared.get(PLACE)

    for found_ND in together(2, act):
        assert torch.equal(found_ND, features_ND)
    assert not roots(tmp_path)[1].exists()


def test_a_folder_of_the_first_process_replaces_those_of_others(
    together: Any, tmp_path: Path, monkeypatch: Any
):
    monkeypatch.setattr(folder_copies, "PIECE_BYTES", 4)
    first, second = roots(tmp_path)
    (first / "checkpoints").mkdir(parents=True)
    (first / "checkpoints" / "state.json").write_bytes(b"0123456789")
    (first / "empty").touch()
    (first / "events.out").write_bytes(b"not wanted")
    second.mkdir()
    (second / "old").write_bytes(b"old")

    def act(processes: Any) -> None:
        folder = roots(tmp_path)[processes.rank]
        copy_folder(processes, folder, lambda path: path.name != "events.out")

    together(2, act)
    found = {
        path.relative_to(second).as_posix(): path.read_bytes()
        for path in second.rglob("*")
        if path.is_file()
    }
    assert found == {"checkpoints/state.json": b"0123456789", "empty": b""}
    assert (first / "events.out").read_bytes() == b"not wanted"


def test_a_folder_that_the_first_process_does_not_have_is_missing_everywhere(
    together: Any, tmp_path: Path
):
    first, second = roots(tmp_path)
    second.mkdir()
    together(2, lambda processes: copy_folder(processes, roots(tmp_path)[processes.rank], bool))
    assert not first.exists()
    assert not second.exists()
