from __future__ import annotations

from io import BytesIO

import numpy as np
from PIL import Image

from cilsim.results.contact_sheet import GAP, TEXT_WIDTH, TILE, Row, contact_sheet


def pixels(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(BytesIO(png)))


def row(images: np.ndarray) -> Row:
    return Row("cluster 7", "g: 3 of 4", images)


def test_each_row_shows_its_images_side_by_side() -> None:
    red, blue = np.zeros((2, 1, 3, 8, 8), dtype=np.uint8)
    red[:, 0], blue[:, 2] = 255, 255
    sheet = pixels(contact_sheet([row(np.concatenate([red, blue])), row(blue)], columns=2))
    assert sheet.shape == (2 * (TILE + GAP) + GAP, TEXT_WIDTH + 2 * (TILE + GAP), 3)
    middle = GAP + TILE // 2
    assert sheet[middle, TEXT_WIDTH + TILE // 2].tolist() == [255, 0, 0]
    assert sheet[middle, TEXT_WIDTH + TILE + GAP + TILE // 2].tolist() == [0, 0, 255]
    assert sheet[middle + TILE + GAP, TEXT_WIDTH + TILE // 2].tolist() == [0, 0, 255]
    assert sheet[middle + TILE + GAP, TEXT_WIDTH + TILE + GAP + TILE // 2].tolist() == [255] * 3


def test_grey_images_and_empty_rows_are_drawn() -> None:
    grey = np.full((1, 1, 8, 8), 100, dtype=np.uint8)
    nothing = np.empty((0, 1, 8, 8), dtype=np.uint8)
    sheet = pixels(contact_sheet([row(grey), row(nothing)], columns=1))
    assert sheet[GAP + TILE // 2, TEXT_WIDTH + TILE // 2].tolist() == [100] * 3


def test_equal_rows_give_equal_bytes() -> None:
    images = np.arange(192, dtype=np.uint8).reshape(1, 3, 8, 8)
    assert contact_sheet([row(images)], 3) == contact_sheet([row(images)], 3)
