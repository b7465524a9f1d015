"""An exported model in plain torch: `python load_plain.py FILE...`, or `load(folder)` in Python.

FILE is an image, a table (CSV) or features (.npz with `x`), as the model takes them. Needs torch,
safetensors, numpy and, for image files, Pillow; cilsim is not needed. `model.json` says what the
samples become, which classes there are and how scores are computed; `network.py` holds the
operations of the backbone, `network.safetensors` its weights, `classifier.safetensors` what
compares features.

Axis letters: B batch, C channels, H W pixels, D features, K classes.
"""

from __future__ import annotations

import csv
import hashlib
import json
import runpy
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor

WEIGHTS = ("network.safetensors", "classifier.safetensors")
GREY = (19595, 38470, 7471)
"""Red, green and blue in grey, of 65536 (ITU-R 601)."""


class PlainModel:
    """A model; `classes` names the columns of its scores."""

    def __init__(self, folder: Path) -> None:
        about = json.loads((folder / "model.json").read_text(encoding="utf-8"))
        for name in WEIGHTS:
            if hashlib.sha256((folder / name).read_bytes()).hexdigest() != about["sha256"][name]:
                raise ValueError(f"{folder / name}: is not what was exported")
        self.classes: list[str] = [one["name"] for one in about["classes"]]
        self.input: dict[str, Any] = about["input"]
        self.kind: str = about["classifier"]["kind"]
        self.settings: dict[str, Any] = about["classifier"]["settings"]
        self.weights, self.tensors = (load_file(folder / name) for name in WEIGHTS)
        self.weights = {name: channels_last(weight) for name, weight in self.weights.items()}
        self.network = runpy.run_path(str(folder / "network.py"))["forward"]

    @torch.inference_mode()
    def features(self, images_BCHW: Tensor) -> Tensor:
        """Return (B, D) features of uint8 images of the stored size, or of rows (B, D_in)."""
        if self.input["kind"] == "images":
            images_BCHW = normalised(images_BCHW, self.input)
        features_BD: Tensor = self.network(self.weights, images_BCHW)
        return features_BD

    @torch.inference_mode()
    def scores(self, images_BCHW: Tensor) -> Tensor:
        """Return (B, K) scores; the largest is the prediction."""
        return scores(self.features(images_BCHW), self.kind, self.tensors, self.settings)

    def read(self, path: Path) -> Tensor:
        """Return an image file as uint8 (C, H, W), as the images of the training were read."""
        return torch.from_numpy(read_image(path, self.input["side"], self.input["channels"]))

    def encode(self, rows: Iterable[Mapping[str, str]]) -> Tensor:
        """Return rows of texts by column as float32 (B, D_in), as those of the training were.

        KeyError if a column is missing, ValueError if a cell is no number where numbers are wanted.
        """
        return torch.tensor([list(encoded(row, self.input)) for row in rows], dtype=torch.float32)

    def read_rows(self, path: Path) -> Tensor:
        """Return float32 (B, D_in): the rows of a CSV file encoded, or the array x of an .npz."""
        if self.input["kind"] == "table":
            return self.encode(read_csv(path))
        with np.load(path, allow_pickle=False) as arrays:
            return torch.from_numpy(arrays["x"]).float()


def load(folder: Path | str) -> PlainModel:
    """Return the model in a folder; ValueError if its weights are not those exported."""
    return PlainModel(Path(folder))


def channels_last(x: Tensor) -> Tensor:
    """Return images or convolution weights in the memory layout that cilsim computes in."""
    return x.contiguous(memory_format=torch.channels_last) if x.ndim == 4 else x


def read_image(path: Path, side: int, channels: int) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """Return (C, side, side): shorter side resized, centre cut out, in RGB or grey."""
    from PIL import Image

    with Image.open(path) as image:
        shorter = min(image.size)
        size = (side * image.width // shorter, side * image.height // shorter)
        scaled = image.convert("RGB").resize(size, Image.Resampling.BILINEAR)
    left, top = (round((length - side) / 2) for length in size)
    pixels = np.array(scaled.crop((left, top, left + side, top + side))).transpose(2, 0, 1)
    return grey(pixels) if channels == 1 else pixels


def grey(pixels_CHW: np.ndarray[Any, Any]) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """Return (1, H, W) the brightness of RGB pixels (3, H, W); grey pixels keep theirs."""
    parts = zip(GREY, pixels_CHW.astype(np.int64), strict=True)
    weighted = sum(weight * plane_HW for weight, plane_HW in parts)
    grey_HW: np.ndarray[Any, np.dtype[np.uint8]] = ((weighted + 0x8000) >> 16).astype(np.uint8)
    return grey_HW[None]


def read_csv(path: Path) -> list[dict[str, str]]:
    """Return the rows of a UTF-8 file, cells separated by what its header has most of."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        separator = max(",;\t", key=file.readline().count)
        file.seek(0)
        lines = [
            [cell.strip() for cell in line]
            for line in csv.reader(file, delimiter=separator, strict=True)
        ]
    header, *rows = filter(any, lines)
    return [dict(zip(header, row, strict=True)) for row in rows]


def encoded(row: Mapping[str, str], about: dict[str, Any]) -> Iterator[float]:
    """Yield the features of a row: numbers standardised, one for each category and for others."""
    absent = {word.casefold() for word in about["missing"]}
    for column in about["columns"]:
        text = row[column["name"]].strip()
        missing, told = text.casefold() in absent, column["missing_feature"]
        if column["kind"] == "number":
            yield 0.0 if missing else (float(text) - column["mean"]) / column["deviation"]
            yield from [float(missing)] if told else []
        else:
            known = [*column["categories"], *([None] if told else [])]
            name = None if missing else text
            place = known.index(name) if name in known else len(known)
            yield from (float(position == place) for position in range(len(known) + 1))


def normalised(images_BCHW: Tensor, about: dict[str, Any]) -> Tensor:
    """Return float32 images: centre cut out, channels repeated if grey, (x / 255 - mean) / std."""
    crop, mean, std = about["crop"], about["mean"], about["std"]
    if crop is not None:
        top, left = (round((size - crop) / 2) for size in images_BCHW.shape[2:])
        images_BCHW = images_BCHW[:, :, top : top + crop, left : left + crop]
    if images_BCHW.shape[1] != len(mean):
        images_BCHW = images_BCHW.repeat(1, len(mean), 1, 1)
    centre = torch.tensor(mean, dtype=torch.float64).view(-1, 1, 1)
    width = torch.tensor(std, dtype=torch.float64).view(-1, 1, 1)
    scale, shift = (1.0 / (255.0 * width)).float(), (-centre / width).float()
    return channels_last(images_BCHW.float() * scale + shift)


def scores(x: Tensor, kind: str, tensors: dict[str, Tensor], settings: dict[str, Any]) -> Tensor:
    """Return (B, K) scores of features (B, D); see `classifier` in model.json."""
    rows = tensors["weight" if kind == "linear" else "prototypes"]
    if settings.get("unit_features"):
        x = F.normalize(x)
    if "projection" in tensors:
        x = F.relu(x @ tensors["projection"])
    if settings.get("power", 1.0) != 1.0:
        x = x.pow(settings["power"])
    if settings.get("unit_transformed"):
        x = F.normalize(x)
    x = x.to(rows.dtype)
    if kind == "linear":
        return x @ rows.T + tensors["bias"]
    if kind == "cosine":
        scale: float = settings.get("scale", 1.0)
        return scale * (F.normalize(x) @ F.normalize(rows).T)
    return -squared_distances(x, rows, tensors)


def squared_distances(x_BD: Tensor, rows_KD: Tensor, tensors: dict[str, Tensor]) -> Tensor:
    """Return (B, K) d' P d with d = x - row; P is the identity where no matrices are given."""
    apart_KBD = x_BD - rows_KD.unsqueeze(1)
    weighted_KBD = apart_KBD
    if "diagonals" in tensors:
        weighted_KBD = apart_KBD * tensors["diagonals"].unsqueeze(1)
    elif "precisions" in tensors:
        weighted_KBD = apart_KBD @ tensors["precisions"]
    return (weighted_KBD * apart_KBD).sum(2).T


def main() -> None:
    """Print the best class of each image file or row; rows are named as `cilsim predict` does."""
    model = load(Path(__file__).parent)
    kind, names = model.input["kind"], sys.argv[1:]
    if not names:
        sys.stderr.write(f"usage: {Path(__file__).name} FILE...\n")
        sys.exit(2)
    for name in names:
        path, images = Path(name), kind == "images"
        best = model.scores(model.read(path)[None] if images else model.read_rows(path)).max(1)
        for row, (score, label) in enumerate(zip(*best, strict=True), start=int(kind == "table")):
            place = name if images else f"{name}:{row}" if len(names) > 1 else row
            sys.stdout.write(f"{place}\t{model.classes[int(label)]}\t{float(score):.6g}\n")


if __name__ == "__main__":
    main()
