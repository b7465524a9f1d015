from __future__ import annotations

import json
import logging
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from threading import Barrier, Thread

import numpy as np
import pytest

from cilsim.data.array_cache import cache_key, cached_arrays
from cilsim.errors import DataError

X = np.arange(12, dtype=np.uint8).reshape(4, 3)


class Builder:
    """Writes one array and counts how often it is asked to."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, folder: Path) -> None:
        self.calls += 1
        np.save(folder / "x.npy", X)

    def get(self, folder: Path) -> np.ndarray:
        return cached_arrays(folder, self, lambda: {"maker": 1})["x"]


def test_arrays_are_built_once_and_then_memory_mapped(tmp_path: Path) -> None:
    builder = Builder()
    first, second = builder.get(tmp_path / "a"), builder.get(tmp_path / "a")
    assert builder.calls == 1
    assert isinstance(second, np.memmap)
    assert not second.flags.writeable
    assert first.tolist() == second.tolist() == X.tolist()


def test_the_manifest_holds_size_checksum_and_what_the_maker_tells(tmp_path: Path) -> None:
    Builder().get(tmp_path / "a")
    manifest = json.loads((tmp_path / "a" / "manifest.json").read_text())
    content = (tmp_path / "a" / "x.npy").read_bytes()
    assert len(manifest.pop("sha256")) == 64
    assert manifest == {
        "files": {"x.npy": {"bytes": len(content), "sha256": sha256(content).hexdigest()}},
        "about": {"maker": 1},
    }
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "a.lock"]


def flip_the_last_byte(folder: Path) -> None:
    content = bytearray((folder / "x.npy").read_bytes())
    content[-1] ^= 1
    (folder / "x.npy").write_bytes(content)


def cut_the_file(folder: Path) -> None:
    (folder / "x.npy").write_bytes((folder / "x.npy").read_bytes()[:-2])


def remove_the_file(folder: Path) -> None:
    (folder / "x.npy").unlink()


def remove_the_manifest(folder: Path) -> None:
    (folder / "manifest.json").unlink()


def empty_the_manifest(folder: Path) -> None:
    (folder / "manifest.json").write_text('{"files": {}}')


def change_the_manifest(folder: Path) -> None:
    text = (folder / "manifest.json").read_text()
    (folder / "manifest.json").write_text(text.replace("maker", "mater"))


@pytest.mark.parametrize(
    ("damage", "named"),
    [
        (flip_the_last_byte, "x.npy does not match its checksum"),
        (cut_the_file, "x.npy has 138 bytes, not 140"),
        (remove_the_file, "x.npy cannot be read"),
        (remove_the_manifest, "manifest.json cannot be read"),
        (empty_the_manifest, "manifest.json cannot be read"),
        (change_the_manifest, "manifest.json does not match its checksum"),
    ],
)
def test_a_damaged_cache_is_named_and_made_again(
    damage: Callable[[Path], None],
    named: str,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    builder, folder = Builder(), tmp_path / "a"
    builder.get(folder)
    damage(folder)
    with caplog.at_level(logging.WARNING):
        again = builder.get(folder)
    assert builder.calls == 2
    assert again.tolist() == X.tolist()
    assert caplog.messages == [f"cache '{folder}' is damaged ({named}) and is made again"]
    assert builder.get(folder).tolist() == X.tolist()
    assert builder.calls == 2


@pytest.mark.parametrize("name", ["manifest.json", "x.npy"])
def test_no_flipped_byte_of_the_cache_is_ever_read(name: str, tmp_path: Path) -> None:
    builder, folder = Builder(), tmp_path / "a"
    builder.get(folder)
    good = (folder / name).read_bytes()
    for position in range(0, len(good), 3):
        flipped = good[:position] + bytes([good[position] ^ 1]) + good[position + 1 :]
        (folder / name).write_bytes(flipped)
        calls = builder.calls
        assert builder.get(folder).tolist() == X.tolist()
        assert builder.calls == calls + 1
        assert (folder / name).read_bytes() == good


def test_two_builders_at_once_build_once(tmp_path: Path) -> None:
    builder, together, results = Builder(), Barrier(2), []

    def work() -> None:
        together.wait()
        results.append(builder.get(tmp_path / "a").tolist())

    threads = [Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [X.tolist()] * 2
    assert builder.calls == 1


def test_a_build_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    def build(folder: Path) -> None:
        (folder / "x.npy").write_bytes(b"half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cached_arrays(tmp_path / "a", build, dict)
    assert [path.name for path in tmp_path.iterdir()] == ["a.lock"]


def test_what_a_killed_build_left_is_removed_by_the_next(tmp_path: Path) -> None:
    (tmp_path / "a.unfinished").mkdir()
    (tmp_path / "a.unfinished" / "y.npy").write_bytes(b"half")
    Builder().get(tmp_path / "a")
    assert sorted(path.name for path in (tmp_path / "a").iterdir()) == ["manifest.json", "x.npy"]


def test_a_place_that_cannot_be_written_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    folder = tmp_path / "file" / "data" / "a"
    with pytest.raises(DataError) as caught:
        Builder().get(folder)
    assert str(caught.value) == (
        f"cache '{folder}' cannot be written: Not a directory - "
        "set CILSIM_CACHE to a folder that can be written and has space"
    )


def test_the_key_depends_on_every_fact_and_is_short() -> None:
    keys = {cache_key(1, "a"), cache_key(1, "b"), cache_key(2, "a"), cache_key("1", "a")}
    assert len(keys) == 4
    assert {len(key) for key in keys} == {16}
