from __future__ import annotations

import logging
import shutil
from collections import Counter
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import ImageFont

from cilsim.data.glyphs import (
    GlyphOptions,
    facts_glyphs100,
    facts_glyphs200,
    load_glyphs100,
    load_glyphs200,
)
from cilsim.data.glyphs.code_points import CLASSES, CLUTTER, class_name, script
from cilsim.data.glyphs.faces import FACES, draw_masters, font_folder
from cilsim.data.glyphs.making import draw_split
from cilsim.errors import DataError

SMALL = GlyphOptions(train_per_class=6, test_per_class=3)


@pytest.fixture
def shared_cache(glyph_cache: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CILSIM_CACHE", str(glyph_cache))
    return glyph_cache


def draw(code_points: tuple[int, ...], count: int, seed: int = 0, **given: int) -> np.ndarray:
    images = np.zeros((len(code_points) * count, 3, 32, 32), dtype=np.uint8)
    draw_split(images, code_points, "train", seed, **given)
    return images


def test_the_classes_are_200_distinct_code_points_and_no_clutter_is_among_them() -> None:
    assert len(set(CLASSES)) == 200
    assert not set(CLASSES) & set(CLUTTER)


def test_every_code_point_is_in_every_face() -> None:
    from fontTools.ttLib import TTFont

    wanted = {*CLASSES, *CLUTTER}
    missing = {}
    for face in FACES:
        with TTFont(font_folder() / face, lazy=True) as font:
            missing[face] = sorted(wanted - font.getBestCmap().keys())
    assert missing == {face: [] for face in FACES}


def test_scripts_are_mixed_alike_in_base_and_novel_classes() -> None:
    base, novel = (Counter(map(script, part)) for part in (CLASSES[:60], CLASSES[60:100]))
    assert base == {
        "latin": 28,
        "georgian": 10,
        "armenian": 8,
        "greek": 6,
        "cyrillic": 5,
        "digit": 3,
    }
    assert novel == {"latin": 19, "greek": 7, "cyrillic": 7, "armenian": 5, "georgian": 2}


def test_class_names_show_code_point_and_letter() -> None:
    assert class_name(ord("A")) == "U+0041 A"


def test_masters_are_centred_with_a_longer_side_of_40_pixels() -> None:
    masters = draw_masters([ord("W"), ord("j")])
    assert masters.shape == (2, 12, 48, 48)
    for master in masters.reshape(-1, 48, 48):
        rows, columns = np.flatnonzero(master.any(1)), np.flatnonzero(master.any(0))
        sides = (rows[-1] - rows[0] + 1, columns[-1] - columns[0] + 1)
        assert 39 <= max(sides) <= 40
        assert abs((rows[0] + rows[-1]) - 47) <= 2
        assert abs((columns[0] + columns[-1]) - 47) <= 2


def test_facts_are_known_without_drawing(tmp_path: Path) -> None:
    facts = facts_glyphs100(SMALL)
    assert facts.class_ids == tuple(range(100))
    assert facts.class_names[:2] == ("U+10F1 ჱ", "U+10E5 ქ")
    assert facts.y_train.tolist() == [label for label in range(100) for _ in range(6)]
    assert facts.y_test.tolist() == [label for label in range(100) for _ in range(3)]
    assert facts.sample_shape == (3, 32, 32)
    assert len(facts_glyphs200(SMALL).class_ids) == 200
    assert list(tmp_path.iterdir()) == []


def test_the_bytes_do_not_depend_on_the_number_of_threads() -> None:
    before = torch.get_num_threads()
    drawn = []
    try:
        for threads in (1, 2):
            torch.set_num_threads(threads)
            drawn.append(draw(CLASSES[:2], 300).tobytes())
    finally:
        torch.set_num_threads(before)
    assert drawn[0] == drawn[1]


@pytest.mark.parametrize("chunk", [1, 7, 97, 1024])
def test_the_bytes_do_not_depend_on_the_chunk(chunk: int) -> None:
    assert draw(CLASSES[:2], 60, chunk=chunk).tobytes() == draw(CLASSES[:2], 60).tobytes()


def test_fewer_images_of_a_class_are_a_prefix_of_more() -> None:
    many, few = draw(CLASSES[:3], 300), draw(CLASSES[:3], 5)
    for row in range(3):
        assert (few[row * 5 : row * 5 + 5] == many[row * 300 : row * 300 + 5]).all()


def test_train_test_seed_and_class_all_give_other_images() -> None:
    test = np.zeros((2, 3, 32, 32), dtype=np.uint8)
    draw_split(test, CLASSES[:1], "test", 0)
    images = [*test, *draw(CLASSES[:1], 2), *draw(CLASSES[:1], 2, seed=1), *draw(CLASSES[1:2], 2)]
    assert len({image.tobytes() for image in images}) == 8


def test_a_glyph_is_darker_or_lighter_than_its_ground() -> None:
    images = draw(CLASSES[:20], 20).astype(np.float64).mean(1)
    middle, border = images[:, 10:22, 10:22].std((1, 2)), images[:, :4].std((1, 2))
    assert middle.mean() > 1.3 * border.mean()


def test_glyphs100_is_read_back_memory_mapped_and_equal(shared_cache: Path) -> None:
    first, second = load_glyphs100(SMALL), load_glyphs100(SMALL)
    assert isinstance(second.x_train, np.memmap)
    assert second.x_train.shape == (600, 3, 32, 32)
    assert second.x_test.shape == (300, 3, 32, 32)
    assert second.digest == first.digest
    assert (second.name, second.mean, second.std) == (
        "glyphs100",
        (0.498, 0.5, 0.499),
        (0.234, 0.227, 0.238),
    )


def test_normalisation_fits_the_images(shared_cache: Path) -> None:
    dataset = load_glyphs100(SMALL)
    mean = dataset.x_train.mean((0, 2, 3)) / 255
    std = dataset.x_train.std((0, 2, 3)) / 255
    assert mean == pytest.approx(dataset.mean, abs=0.02)
    assert std == pytest.approx(dataset.std, abs=0.02)


def test_glyphs100_is_the_first_half_of_glyphs200(shared_cache: Path) -> None:
    half, whole = load_glyphs100(SMALL), load_glyphs200(SMALL)
    assert (whole.x_train[:600] == half.x_train).all()
    assert (whole.x_test[:300] == half.x_test).all()
    assert whole.digest != half.digest


def test_the_manifest_names_the_versions_that_drew(shared_cache: Path) -> None:
    import json

    load_glyphs100(SMALL)
    (folder,) = [path for path in (shared_cache / "data").glob("glyphs100-*") if path.is_dir()]
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["about"]["generator"] == 2
    assert sorted(manifest["about"]["versions"]) == [
        "freetype",
        "matplotlib",
        "numpy",
        "pillow",
        "torch",
    ]
    assert sorted(manifest["files"]) == ["x_test.npy", "x_train.npy"]


def test_a_damaged_cache_is_named_and_drawn_again(
    shared_cache: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    sound = load_glyphs100(SMALL)
    shutil.copytree(shared_cache, tmp_path / "damaged")
    monkeypatch.setenv("CILSIM_CACHE", str(tmp_path / "damaged"))
    (folder,) = [p for p in (tmp_path / "damaged" / "data").glob("glyphs100-*") if p.is_dir()]
    (folder / "x_test.npy").write_bytes((folder / "x_test.npy").read_bytes()[:-1])
    with caplog.at_level(logging.WARNING):
        again = load_glyphs100(SMALL)
    assert caplog.messages == [
        f"cache '{folder}' is damaged (x_test.npy has 921727 bytes, not 921728) and is made again"
    ]
    assert again.digest == sound.digest


def test_a_damaged_font_is_one_clear_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cilsim.data.glyphs.faces.font_folder", lambda: tmp_path)
    (tmp_path / "DejaVuSans.ttf").write_bytes(b"not a font")
    with pytest.raises(OSError, match=r".") as freetype:
        ImageFont.truetype(BytesIO(b"not a font"))
    with pytest.raises(DataError) as caught:
        draw_masters([65])
    assert str(caught.value) == (
        f"glyph data sets: the font '{tmp_path}/DejaVuSans.ttf' cannot be read: "
        f"{freetype.value} - it is part of matplotlib - reinstall it with "
        "'pip install --force-reinstall matplotlib'"
    )


def test_a_missing_font_is_one_clear_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cilsim.data.glyphs.faces.font_folder", lambda: tmp_path)
    with pytest.raises(DataError) as caught:
        draw_masters([65])
    assert str(caught.value) == (
        f"glyph data sets: the font '{tmp_path}/DejaVuSans.ttf' cannot be read: No such file "
        "or directory - it is part of matplotlib - reinstall it with "
        "'pip install --force-reinstall matplotlib'"
    )


def test_without_matplotlib_the_error_says_how_to_install_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("cilsim.data.glyphs.faces.find_spec", lambda name: None)
    with pytest.raises(DataError) as caught:
        font_folder()
    assert str(caught.value) == (
        "glyph data sets: matplotlib is not installed - its DejaVu fonts are drawn - "
        "install it with 'pip install matplotlib'"
    )


def test_the_domain_of_an_image_is_the_face_in_which_it_is_drawn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each image is what remains if all faces but that of its domain are blank."""
    count, code_points = 12, CLASSES[:2]
    facts = facts_glyphs100(GlyphOptions(train_per_class=count))
    assert facts.domain_train is not None
    whole = draw(code_points, count)
    for face in range(len(FACES)):

        def one_face(wanted: object, face: int = face) -> np.ndarray:
            masters = draw_masters(wanted)  # type: ignore[arg-type]
            if len(masters) == len(code_points):
                masters[:, [other for other in range(len(FACES)) if other != face]] = 0
            return masters

        monkeypatch.setattr("cilsim.data.glyphs.making.draw_masters", one_face)
        same = (draw(code_points, count) == whole).all(axis=(1, 2, 3))
        assert same.tolist() == (facts.domain_train[: 2 * count] == face).tolist()


def test_domains_are_named_after_the_faces() -> None:
    facts = facts_glyphs100(SMALL)
    assert len(facts.domain_names) == len(FACES)
    assert dict(zip(facts.domain_names, FACES, strict=True)) == {
        "sans-regular": "DejaVuSans.ttf",
        "sans-bold": "DejaVuSans-Bold.ttf",
        "sans-oblique": "DejaVuSans-Oblique.ttf",
        "sans-bold-oblique": "DejaVuSans-BoldOblique.ttf",
        "mono-regular": "DejaVuSansMono.ttf",
        "mono-bold": "DejaVuSansMono-Bold.ttf",
        "mono-oblique": "DejaVuSansMono-Oblique.ttf",
        "mono-bold-oblique": "DejaVuSansMono-BoldOblique.ttf",
        "serif-regular": "DejaVuSerif.ttf",
        "serif-bold": "DejaVuSerif-Bold.ttf",
        "serif-italic": "DejaVuSerif-Italic.ttf",
        "serif-bold-italic": "DejaVuSerif-BoldItalic.ttf",
    }


def test_fewer_images_have_the_domains_of_the_first_of_more() -> None:
    few, many = (
        facts_glyphs100(GlyphOptions(train_per_class=count)).domain_train for count in (6, 9)
    )
    assert few is not None
    assert many is not None
    np.testing.assert_array_equal(few.reshape(100, 6), many.reshape(100, 9)[:, :6])


def test_every_family_and_slant_has_samples_of_every_class() -> None:
    facts = facts_glyphs100(GlyphOptions())
    assert facts.domain_train is not None
    pairs = np.unique(facts.y_train * 6 + facts.domain_train // 2)
    assert len(pairs) == 600
