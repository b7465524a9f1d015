"""The data sets that cilsim brings, in the form in which a plugin registers its own."""

from __future__ import annotations

from dataclasses import dataclass

from cilsim.data.arrays import ArraysOptions
from cilsim.data.cifar import CifarOptions
from cilsim.data.digits import DigitsOptions
from cilsim.data.glyphs import GlyphOptions
from cilsim.data.image_folder import ImageFolderOptions
from cilsim.options import Options


@dataclass(frozen=True)
class DataSetDeclaration:
    """What `register` takes for a data set.

    Attributes:
        name: how a scenario names it.
        options: the model that validates its options.
        load: `module:function` from options to DataSet.
        facts: `module:function` from options to DataFacts; needs neither torch nor images.
        summary: one line for `cilsim list datasets`.
    """

    name: str
    options: type[Options]
    load: str
    facts: str
    summary: str


DATASETS = (
    DataSetDeclaration(
        name="glyphs100",
        options=GlyphOptions,
        load="cilsim.data.glyphs:load_glyphs100",
        facts="cilsim.data.glyphs:facts_glyphs100",
        summary="100 letters drawn from fonts, 32 x 32 colour; made here in seconds, no download",
    ),
    DataSetDeclaration(
        name="glyphs200",
        options=GlyphOptions,
        load="cilsim.data.glyphs:load_glyphs200",
        facts="cilsim.data.glyphs:facts_glyphs200",
        summary="200 letters drawn from fonts, for longer streams; no download",
    ),
    DataSetDeclaration(
        name="digits",
        options=DigitsOptions,
        load="cilsim.data.digits:load_digits",
        facts="cilsim.data.digits:facts_digits",
        summary="1797 scanned digits of scikit-learn as 16 x 16, real and tiny; no download",
    ),
    DataSetDeclaration(
        name="cifar10",
        options=CifarOptions,
        load="cilsim.data.cifar:load_cifar10",
        facts="cilsim.data.cifar:facts_cifar10",
        summary="CIFAR-10: 10 classes, 50 000 + 10 000 photographs, 32 x 32; 170 MB to fetch",
    ),
    DataSetDeclaration(
        name="cifar100",
        options=CifarOptions,
        load="cilsim.data.cifar:load_cifar100",
        facts="cilsim.data.cifar:facts_cifar100",
        summary="CIFAR-100: 100 classes, 50 000 + 10 000 photographs, 32 x 32; 169 MB to fetch",
    ),
    DataSetDeclaration(
        name="image_folder",
        options=ImageFolderOptions,
        load="cilsim.data.image_folder:load_image_folder",
        facts="cilsim.data.image_folder:facts_image_folder",
        summary="your images: a folder with one folder per class, or train/ and test/ of these",
    ),
    DataSetDeclaration(
        name="arrays",
        options=ArraysOptions,
        load="cilsim.data.arrays:load_arrays",
        facts="cilsim.data.arrays:facts_arrays",
        summary="your images or features: an .npz file of x_train, y_train, x_test, y_test",
    ),
)
