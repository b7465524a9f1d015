from pathlib import Path

import pytest

from cilsim.backbones.options import ImageNetResNetOptions, SmallOptions
from cilsim.backbones.pretrained import check, names_of, normalisation
from cilsim.backbones.transformer_options import VitOptions

IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
FILE = Path("w.pt")


@pytest.mark.parametrize(
    ("options", "moments"),
    [
        pytest.param(SmallOptions(), None, id="random weights"),
        pytest.param(ImageNetResNetOptions(weights="imagenet1k_v1"), IMAGENET, id="torchvision"),
        pytest.param(
            ImageNetResNetOptions(weights="imagenet1k_v1", normalisation="dataset"),
            None,
            id="given",
        ),
        pytest.param(SmallOptions(weights=FILE, normalisation="dataset"), None, id="data set"),
        pytest.param(
            VitOptions(weights=FILE, normalisation="imagenet"), IMAGENET, id="imagenet of a file"
        ),
        pytest.param(
            VitOptions(weights=FILE, normalisation="half"), ((0.5,) * 3, (0.5,) * 3), id="half"
        ),
        pytest.param(
            VitOptions(weights=FILE, normalisation="none"), ((0.0,) * 3, (1.0,) * 3), id="none"
        ),
    ],
)
def test_normalisation_is_what_the_weights_want(options, moments):
    assert normalisation(options) == moments


def test_a_file_does_not_say_how_images_were_normalised():
    with pytest.raises(ValueError, match="normalisation is missing: a file of weights does not"):
        SmallOptions(weights=FILE)


def test_weights_with_a_name_are_told_from_files():
    assert names_of(SmallOptions) == ("none",)
    assert names_of(ImageNetResNetOptions) == ("none", "imagenet1k_v1")
    assert ImageNetResNetOptions(weights="imagenet1k_v1").weights == "imagenet1k_v1"
    assert ImageNetResNetOptions(weights="x/y.pt", normalisation="half").weights == Path("x/y.pt")


def complaints(weights: Path) -> list[tuple[str, str]]:
    return list(check(ImageNetResNetOptions(weights=weights, normalisation="half"), None))


def test_a_file_that_is_there_raises_no_complaint(tmp_path):
    path = tmp_path / "w.safetensors"
    path.write_bytes(b"")
    assert complaints(path) == []
    assert list(check(SmallOptions(), None)) == []


def test_a_missing_file_is_a_complaint():
    assert complaints(Path("/nowhere/w.pt")) == [("weights", "no such file: /nowhere/w.pt")]


def test_a_misspelt_name_is_a_complaint_with_the_nearest_one():
    assert complaints(Path("/here/imagenet1k_v2")) == [
        ("weights", "no such file: /here/imagenet1k_v2; did you mean 'imagenet1k_v1'?")
    ]


def test_another_kind_of_file_is_a_complaint():
    assert complaints(Path("/here/w.ckpt")) == [
        ("weights", "expected a .safetensors, .pt or .pth file, found 'w.ckpt'")
    ]
