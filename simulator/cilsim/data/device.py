"""Samples of an experience, gathered from the data set's arrays: on the device, or left there."""

from __future__ import annotations

from hashlib import sha256
from typing import Literal

import numpy as np
import torch

from cilsim.data.dataset import DataSet
from cilsim.data.host_rows import HostRows, Rows
from cilsim.data.samples import Samples
from cilsim.records import IntArray

Part = Literal["train", "test"]


def part_digest(dataset_digest: str, part: Part, index: IntArray, crop: int | None = None) -> str:
    """Return what identifies the samples at `index` of a part, as hexadecimal text.

    The order of `index` counts, as features are cached row by row, and so does the crop.
    """
    digest = sha256(f"{dataset_digest} {part} {len(index)}\n".encode())
    digest.update(np.ascontiguousarray(index, dtype="<i8").data)
    if crop is not None:
        digest.update(f"crop {crop}\n".encode())
    return digest.hexdigest()


def take(
    dataset: DataSet,
    part: Part,
    index: IntArray,
    labels: IntArray | None,
    device: torch.device | str,
    digest: str,
    *,
    resident: bool = True,
) -> Samples:
    """Return the samples at `index` of a part, in that order, as tensors on the device.

    Args:
        dataset: whose arrays may be memory-mapped; only the rows asked for are read.
        part: `train` or `test`.
        index: (N,) positions in that part.
        labels: (N,) labels, or None for an unlabelled part.
        device: where samples and labels go; the index stays on the CPU.
        digest: see `part_digest`.
        resident: whether the samples go to the device now, or stay where they are until a batch
            needs them; labels go there in any case.

    Raises:
        ValueError: lengths differ.
        IndexError: a position is outside the part.
    """
    if labels is not None and len(labels) != len(index):
        raise ValueError(f"{len(labels)} labels for {len(index)} samples")
    rows = dataset.x_train if part == "train" else dataset.x_test
    positions = np.array(index, dtype=np.int64)
    if len(positions) and not 0 <= positions.min() <= positions.max() < len(rows):
        raise IndexError(
            f"positions {positions.min()} to {positions.max()} in a {part} part of {len(rows)}"
        )
    x: Rows = HostRows(rows, positions, torch.device(device))
    if resident:
        x = torch.from_numpy(np.ascontiguousarray(rows[positions])).to(device)
    return Samples(
        x=x,
        labels=None if labels is None else torch.tensor(labels, dtype=torch.int64, device=device),
        index=torch.from_numpy(positions),
        digest=digest,
        mean=dataset.mean,
        std=dataset.std,
        crop=dataset.crop,
    )
