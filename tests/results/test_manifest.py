from __future__ import annotations

import getpass
import json
import platform
import socket
from importlib.metadata import version
from pathlib import Path

import pytest

from cilsim.errors import CheckpointError
from cilsim.registry import Owner
from cilsim.results.manifest import (
    agrees_with_manifest,
    manifest,
    package_versions,
    read_manifest,
    resume_conflicts,
    write_manifest,
)


@pytest.fixture
def found():
    return manifest(
        scenario_hash="s1",
        data_digest="d1",
        stream_digest="t1",
        device="cpu",
        threads=1,
        torch_facts={"cpu_capability": "AVX2", "deterministic": True},
        plugins=[
            Owner("teen", "cilsim", "0.1"),
            Owner("far", "cilsim-far", "2"),
            Owner("teen", "cilsim", "0.1"),
        ],
        protocol_stamps=["best_test_epoch"],
    )


def test_a_manifest_says_what_the_run_depends_on(found):
    assert {key: found[key] for key in found if key not in ("packages", "platform", "cpu")} == {
        "scenario_hash": "s1",
        "data_digest": "d1",
        "stream_digest": "t1",
        "weights": None,
        "skipped_files": [],
        "protocol_stamps": ["best_test_epoch"],
        "device": "cpu",
        "threads": 1,
        "torch": {"cpu_capability": "AVX2", "deterministic": True},
        "plugins": [
            {"name": "far", "distribution": "cilsim-far", "version": "2"},
            {"name": "teen", "distribution": "cilsim", "version": "0.1"},
        ],
        "python": platform.python_version(),
    }
    assert found["packages"]["torch"] == version("torch")
    assert found["packages"]["avalanche-lib"] == version("avalanche-lib")


def test_a_manifest_names_neither_machine_nor_user_nor_place(found):
    text = json.dumps(found)
    host, user, home = socket.gethostname(), getpass.getuser(), str(Path.home())
    assert [
        word for word in (f'"{host}"', f'"{user}"', home, str(Path.cwd())) if word in text
    ] == []


def test_packages_that_are_not_installed_are_left_out():
    assert package_versions(["numpy", "no-such-package"]) == {"numpy": version("numpy")}


def test_a_manifest_comes_back(tmp_path, found):
    assert read_manifest(tmp_path) is None
    write_manifest(tmp_path, found)
    assert read_manifest(tmp_path) == found


def test_a_damaged_manifest_is_named(tmp_path, found):
    write_manifest(tmp_path, found)
    (tmp_path / "manifest.json").write_text("{}")
    with pytest.raises(CheckpointError) as caught:
        read_manifest(tmp_path)
    assert str(caught.value) == (
        f"{tmp_path}/manifest.json: is damaged: its checksum does not match the one in SHA256SUMS"
    )


def test_a_damaged_manifest_is_known_again_by_its_checksum(tmp_path, found):
    write_manifest(tmp_path, found)
    (tmp_path / "manifest.json").write_text("{}")
    assert agrees_with_manifest(tmp_path, json.loads(json.dumps(found)))
    assert not agrees_with_manifest(tmp_path, {**found, "threads": 64})


def test_a_run_goes_on_with_an_equal_manifest(found):
    assert resume_conflicts(found, json.loads(json.dumps(found))) == []


def test_a_run_goes_on_with_what_does_not_change_its_bits(found):
    now = {**found, "plugins": [], "python": "9", "platform": "x", "cpu": "y"}
    assert resume_conflicts(found, {**now, "protocol_stamps": []}) == []


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"threads": 2}, "threads: 1 before, 2 now"),
        ({"device": "cuda:0"}, "device: cpu before, cuda:0 now"),
        ({"data_digest": "d2"}, "data_digest: d1 before, d2 now"),
        ({"stream_digest": "t2"}, "stream_digest: t1 before, t2 now"),
        ({"scenario_hash": "s2"}, "scenario_hash: s1 before, s2 now"),
        (
            {"torch": {"cpu_capability": "AVX512", "deterministic": True}},
            "torch.cpu_capability: AVX2 before, AVX512 now",
        ),
        (
            {"packages": {"torch": "9"}},
            f"packages.torch: {version('torch')} before, 9 now",
        ),
    ],
)
def test_what_changes_the_bits_of_a_run_is_named(found, change, line):
    assert resume_conflicts(found, {**found, **change}) == [line]
