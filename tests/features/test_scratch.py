import errno
import os
import tempfile

import pytest
import torch

from cilsim.errors import DataError
from cilsim.features.scratch import on_disk

CPU = torch.device("cpu")


def test_it_is_memory_like_any_other(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with torch.inference_mode():
        rows = on_disk(1000, 3, CPU)
    assert (rows.shape, rows.dtype, rows.is_inference()) == ((1000, 3), torch.float32, False)
    rows.copy_(torch.arange(3000.0).view(1000, 3))
    assert rows.sum(dtype=torch.float64) == sum(range(3000))


def test_its_file_has_no_name(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    rows = on_disk(10, 3, CPU)
    assert list(tmp_path.iterdir()) == []
    assert rows.shape == (10, 3)


def test_a_full_disk_is_told_before_anything_is_computed(tmp_path, monkeypatch):
    def full(*arguments):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(DataError) as caught:
        on_disk(10, 3, CPU)
    assert str(caught.value) == (
        f"features of 10 samples: 120 bytes cannot be written in '{tmp_path}': "
        "No space left on device - set TMPDIR to a folder with space"
    )


def test_only_host_memory_can_be_mapped():
    with pytest.raises(ValueError, match=r"^features on cuda:0 cannot be mapped from a file$"):
        on_disk(10, 3, torch.device("cuda:0"))
