"""A trained model apart from its data: what has to be known to predict with it, or to go on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cilsim.data.dataset import DataSet
from cilsim.data.row_encoder import RowEncoder
from cilsim.errors import DataError
from cilsim.records import StreamInfo

TABLE = "table"
"""Kind of input, in `model.json`, that is described by a `RowEncoder`."""


@dataclass(frozen=True)
class InputFacts:
    """What samples have to be like.

    Attributes:
        shape: of a sample as the data set stores it: (C, side, side) of an image, (D,) of features.
        mean: per channel in [0, 1], for normalisation; empty for features.
        std: likewise.
        crop: side of the centre square that is cut out, or None.
        row_encoder: how rows of a table become features; None where they are no rows of one.
    """

    shape: tuple[int, ...]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    crop: int | None
    row_encoder: RowEncoder | None = None

    @property
    def images(self) -> bool:
        """Whether samples are images."""
        return len(self.shape) == 3

    @property
    def sample_shape(self) -> tuple[int, ...]:
        """What `DataFacts.sample_shape` says: the shape after the crop."""
        return self.shape if self.crop is None else (self.shape[0], self.crop, self.crop)

    @property
    def network_shape(self) -> tuple[int, ...]:
        """What the backbone gets: grey images become as many channels as there are means."""
        return (len(self.mean), *self.sample_shape[1:]) if self.images else self.shape

    def described(self) -> dict[str, Any]:
        """Return the entry `input` of `model.json`."""
        if self.row_encoder is not None:
            return {"kind": TABLE, "size": self.shape[0], **self.row_encoder.described()}
        if not self.images:
            return {"kind": "features", "size": self.shape[0]}
        facts = {"side": self.shape[1], "channels": self.shape[0], "crop": self.crop}
        return {"kind": "images", **facts, "mean": list(self.mean), "std": list(self.std)}


@dataclass(frozen=True)
class StoredModel:
    """What became of one run after its last experience, or after an earlier one.

    Attributes:
        where: the folder that it came from, for messages.
        scenario: the resolved scenario as YAML.
        strategy: label of the strategy in it.
        seed: the training seed.
        stream: the stream as far as it was learnt.
        input: what samples have to be like.
        state: as a checkpoint of a run stores it.
        own_weights: whether the state holds the weights of the backbone; if not, they are those
            that the scenario starts from.
    """

    where: str
    scenario: str
    strategy: str
    seed: int
    stream: StreamInfo
    input: InputFacts
    state: Mapping[str, Any]
    own_weights: bool


def input_facts(dataset: DataSet) -> InputFacts:
    """Return what samples of a data set are like.

    Raises:
        DataError: its images are not square, so that no image file can be made to fit.
    """
    shape = tuple(dataset.x_train.shape[1:])
    if len(shape) == 3 and shape[1] != shape[2]:
        raise DataError(
            f"data set '{dataset.name}': images of {shape[1]} x {shape[2]} pixels were found - "
            "expected square ones, as image files are cut to squares"
        )
    return InputFacts(shape, dataset.mean, dataset.std, dataset.crop, dataset.row_encoder)
