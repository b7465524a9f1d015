from __future__ import annotations

import os

import pytest
import torch

from cilsim.errors import CilsimError
from cilsim.runner.device import choose_device, prepare


@pytest.fixture
def no_accelerator(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)


@pytest.fixture
def two_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)


@pytest.mark.usefixtures("no_accelerator")
def test_auto_takes_the_cpu_if_there_is_nothing_else() -> None:
    assert choose_device("auto") == torch.device("cpu")


@pytest.mark.usefixtures("two_gpus")
def test_auto_takes_the_first_gpu() -> None:
    assert choose_device("auto") == torch.device("cuda:0")


def test_auto_takes_mps_before_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert choose_device("auto") == torch.device("mps")


@pytest.mark.usefixtures("two_gpus")
def test_a_gpu_can_be_named_by_number() -> None:
    assert choose_device("cuda:1") == torch.device("cuda:1")


@pytest.mark.usefixtures("no_accelerator")
@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ("cuda", "--device cuda: this machine has 0 CUDA devices; try --device auto"),
        ("cuda:1", "--device cuda:1: this machine has 0 CUDA devices; try --device auto"),
        ("mps", "--device mps: this machine has no MPS device; try --device auto"),
        ("gpu", "--device gpu: expected 'auto', 'cpu', 'cuda', 'cuda:<number>' or 'mps'"),
        ("cuda:x", "--device cuda:x: expected 'auto', 'cpu', 'cuda', 'cuda:<number>' or 'mps'"),
        ("", "--device : expected 'auto', 'cpu', 'cuda', 'cuda:<number>' or 'mps'"),
    ],
)
def test_a_missing_device_is_one_line(wanted: str, message: str) -> None:
    with pytest.raises(CilsimError) as raised:
        choose_device(wanted)
    assert str(raised.value) == message
    assert raised.value.exit_code == 2


@pytest.mark.usefixtures("two_gpus")
def test_a_gpu_beyond_the_last_is_one_line() -> None:
    with pytest.raises(CilsimError) as raised:
        choose_device("cuda:2")
    assert str(raised.value) == (
        "--device cuda:2: this machine has 2 CUDA devices; try --device auto"
    )


def test_prepare_makes_arithmetic_repeatable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG", raising=False)
    try:
        prepare(deterministic=True, threads=1)
        assert torch.are_deterministic_algorithms_enabled()
        assert not torch.backends.cuda.matmul.allow_tf32
        assert not torch.backends.cudnn.benchmark
        assert torch.get_num_threads() == 1
        assert os.environ["CUBLAS_WORKSPACE_CONFIG"] == ":4096:8"
    finally:
        prepare(deterministic=False, threads=None)
