"""The data sets that cilsim brings, in the form in which a plugin registers its own."""

from __future__ import annotations

from dataclasses import dataclass

from cilsim.data.arrays import ArraysOptions
from cilsim.data.cifar import CifarOptions
from cilsim.data.core50 import Core50Options
from cilsim.data.cub200 import Cub200Options
from cilsim.data.digits import DigitsOptions
from cilsim.data.glyphs import GlyphOptions
from cilsim.data.image_folder import ImageFolderOptions
from cilsim.data.imagenet100 import ImageNet100Options
from cilsim.data.mini_imagenet import MiniImageNetOptions
from cilsim.data.tiny_imagenet import TinyImageNetOptions
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
        name="mini_imagenet",
        options=MiniImageNetOptions,
        load="cilsim.data.mini_imagenet:load_mini_imagenet",
        facts="cilsim.data.mini_imagenet:facts_mini_imagenet",
        summary="miniImageNet: 100 classes, 50 000 + 10 000 photographs, 92 x 92; to fetch by hand",
    ),
    DataSetDeclaration(
        name="cub200",
        options=Cub200Options,
        load="cilsim.data.cub200:load_cub200",
        facts="cilsim.data.cub200:facts_cub200",
        summary="CUB-200-2011: 200 birds, 5 994 + 5 794 photographs, 256 x 256; 1.2 GB to fetch",
    ),
    DataSetDeclaration(
        name="tiny_imagenet",
        options=TinyImageNetOptions,
        load="cilsim.data.tiny_imagenet:load_tiny_imagenet",
        facts="cilsim.data.tiny_imagenet:facts_tiny_imagenet",
        summary="TinyImageNet: 200 classes, 100 000 + 10 000 images, 64 x 64; 248 MB to fetch",
    ),
    DataSetDeclaration(
        name="imagenet100",
        options=ImageNet100Options,
        load="cilsim.data.imagenet100:load_imagenet100",
        facts="cilsim.data.imagenet100:facts_imagenet100",
        summary="100 classes of your copy of ImageNet, folders train/ and val/, 256 x 256",
    ),
    DataSetDeclaration(
        name="core50",
        options=Core50Options,
        load="cilsim.data.core50:load_core50",
        facts="cilsim.data.core50:facts_core50",
        summary="CORe50: 50 objects filmed in 11 sessions (domains), 128 x 128; to fetch by hand",
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
