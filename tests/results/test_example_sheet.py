from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cilsim.errors import CheckpointError
from cilsim.results.example_sheet import MOST_PIXELS, example_sheet, parse_example_sheet

PATH = Path("examples.png")


def greys(count: int, height: int = 8, width: int = 8) -> np.ndarray:
    levels = np.arange(count, dtype=np.uint8) * 10
    return np.broadcast_to(levels[:, None, None, None], (count, 1, height, width)).copy()


def test_a_sheet_says_where_its_samples_come_from():
    sheet = parse_example_sheet(PATH, example_sheet(greys(10), range(100, 110)))
    assert (sheet.positions, sheet.tile, sheet.columns) == (tuple(range(100, 110)), 8, 8)


def test_tiles_lie_in_rows_of_eight():
    png = example_sheet(greys(10), range(10))
    with Image.open(BytesIO(png)) as picture:
        assert picture.size == (64, 16)
        assert [picture.getpixel((8 * (n % 8) + 4, 8 * (n // 8) + 4)) for n in range(10)] == [
            (10 * n,) * 3 for n in range(10)
        ]


def test_few_images_make_one_short_row():
    with Image.open(BytesIO(example_sheet(greys(3), range(3)))) as picture:
        assert picture.size == (24, 8)


def test_large_images_are_made_smaller_and_their_middle_is_shown():
    image = np.zeros((1, 3, 100, 300), dtype=np.uint8)
    image[:, 0, :, 100:200] = 255
    png = example_sheet(image, [5])
    with Image.open(BytesIO(png)) as picture:
        assert picture.size == (MOST_PIXELS, MOST_PIXELS)
        assert picture.getpixel((MOST_PIXELS // 2, 3)) == (255, 0, 0)


def test_equal_images_give_equal_bytes():
    assert example_sheet(greys(5), range(5)) == example_sheet(greys(5), range(5))


@pytest.mark.parametrize("content", [b"", b"GIF89a", example_sheet(greys(1), [1])[:40]])
def test_anything_else_is_refused(content):
    with pytest.raises(CheckpointError) as caught:
        parse_example_sheet(PATH, content)
    assert str(caught.value) == "examples.png: is damaged: it is not a sheet of examples"


def test_a_picture_without_positions_is_refused():
    file = BytesIO()
    Image.new("RGB", (8, 8)).save(file, "PNG")
    with pytest.raises(CheckpointError) as caught:
        parse_example_sheet(PATH, file.getvalue())
    assert str(caught.value) == "examples.png: is damaged: it is not a sheet of examples"
