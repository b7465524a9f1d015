from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from cilsim.data import residency
from cilsim.data.arrays import arrays_dataset
from cilsim.data.dataset import DataSet
from cilsim.data.residency import free_bytes, resident

CPU = torch.device("cpu")


@pytest.fixture
def dataset(monkeypatch: pytest.MonkeyPatch) -> DataSet:
    """Forty kilobytes of features, which are worth a look at the memory."""
    monkeypatch.setattr(residency, "ALWAYS_BYTES", 0)
    x = np.zeros((50, 100), dtype=np.float32)
    return arrays_dataset(x, [0, 1] * 25, x, [0, 1] * 25, name="wide")


def test_what_takes_at_most_half_of_the_free_memory_is_resident(
    dataset: DataSet, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(residency, "free_bytes", lambda device: 80_000)
    with caplog.at_level("DEBUG"):
        assert resident(dataset, "auto", CPU)
    assert caplog.messages == []


def test_what_takes_more_is_read_batch_by_batch_and_one_line_says_so(
    dataset: DataSet, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(residency, "free_bytes", lambda device: 79_999)
    with caplog.at_level("INFO"):
        assert not resident(dataset, "auto", CPU)
    assert caplog.messages == [
        "data set 'wide': 0.0 GB of samples stay where they are, cpu has 0.0 GB free; "
        "batches are read when they are needed (data_on_device: auto)"
    ]


@pytest.mark.parametrize("wanted", [True, False])
def test_what_the_scenario_says_is_done(
    dataset: DataSet, monkeypatch: pytest.MonkeyPatch, wanted: bool
) -> None:
    monkeypatch.setattr(residency, "free_bytes", lambda device: 0)
    assert resident(dataset, wanted, CPU) is wanted


def test_where_nothing_is_known_of_the_memory_samples_are_resident(
    dataset: DataSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(residency, "free_bytes", lambda device: None)
    assert resident(dataset, "auto", CPU)


def test_small_sets_are_resident_however_little_memory_is_free(
    dataset: DataSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(residency, "ALWAYS_BYTES", 40_000)
    monkeypatch.setattr(residency, "free_bytes", lambda device: 0)
    assert resident(dataset, "auto", CPU)


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that stands for what Linux says of memory and control groups."""
    monkeypatch.setattr(residency, "MEMORY", tmp_path / "meminfo")
    monkeypatch.setattr(residency, "CONTROL_GROUP", tmp_path)
    (tmp_path / "meminfo").write_text("MemTotal:       100 kB\nMemAvailable:    60 kB\n")
    return tmp_path


def test_the_host_has_what_is_available(machine: Path) -> None:
    assert free_bytes(CPU) == 60 * 1024


def test_a_container_has_what_its_limit_leaves_and_file_caches_give_way(machine: Path) -> None:
    (machine / "memory.max").write_text("50000\n")
    (machine / "memory.current").write_text("30000\n")
    (machine / "memory.stat").write_text("anon 1\ninactive_file 5000\n")
    assert free_bytes(CPU) == 25_000


def test_a_container_without_limit_has_what_is_available(machine: Path) -> None:
    (machine / "memory.max").write_text("max\n")
    (machine / "memory.current").write_text("30000\n")
    assert free_bytes(CPU) == 60 * 1024


def test_without_such_files_nothing_is_known(machine: Path) -> None:
    (machine / "meminfo").unlink()
    assert free_bytes(CPU) is None


@pytest.mark.gpu
def test_a_gpu_says_how_much_it_has() -> None:
    free = free_bytes(torch.device("cuda:0"))
    assert free is not None
    assert 0 < free <= torch.cuda.get_device_properties(0).total_memory
