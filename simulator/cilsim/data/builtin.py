"""The data sets that cilsim brings, in the form in which a plugin registers its own."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class DataSetDeclaration:
    """What `register` takes for a data set.

    Attributes:
        name: how a scenario names it.
        options: `module:class`, the model that validates its options.
        load: `module:function` from options to DataSet.
        facts: `module:function` from options to DataFacts; needs neither torch nor images.
        summary: one line for `cilsim list datasets`.
        publication: `module:attribute`, a `Publication`, where something is published of it.
    """

    name: str
    options: str
    load: str
    facts: str
    summary: str
    publication: str | None = None


DATASETS = (
    DataSetDeclaration(
        name="glyphs100",
        options="cilsim.data.glyphs:GlyphOptions",
        load="cilsim.data.glyphs:load_glyphs100",
        facts="cilsim.data.glyphs:facts_glyphs100",
        summary="100 letters drawn from fonts, 32 x 32 colour; made here in seconds, no download",
        publication="cilsim.data.made_here:GLYPHS100",
    ),
    DataSetDeclaration(
        name="glyphs200",
        options="cilsim.data.glyphs:GlyphOptions",
        load="cilsim.data.glyphs:load_glyphs200",
        facts="cilsim.data.glyphs:facts_glyphs200",
        summary="200 letters drawn from fonts, for longer streams; no download",
        publication="cilsim.data.made_here:GLYPHS200",
    ),
    DataSetDeclaration(
        name="digits",
        options="cilsim.data.digits:DigitsOptions",
        load="cilsim.data.digits:load_digits",
        facts="cilsim.data.digits:facts_digits",
        summary="1797 scanned digits of scikit-learn as 16 x 16, real and tiny; no download",
        publication="cilsim.data.made_here:DIGITS",
    ),
    DataSetDeclaration(
        name="cifar10",
        options="cilsim.data.cifar:CifarOptions",
        load="cilsim.data.cifar:load_cifar10",
        facts="cilsim.data.cifar:facts_cifar10",
        summary="CIFAR-10: 10 classes, 50 000 + 10 000 photographs, 32 x 32; 170 MB to fetch",
        publication="cilsim.data.cifar_published:PUBLICATION_10",
    ),
    DataSetDeclaration(
        name="cifar100",
        options="cilsim.data.cifar:CifarOptions",
        load="cilsim.data.cifar:load_cifar100",
        facts="cilsim.data.cifar:facts_cifar100",
        summary="CIFAR-100: 100 classes, 50 000 + 10 000 photographs, 32 x 32; 169 MB to fetch",
        publication="cilsim.data.cifar_published:PUBLICATION_100",
    ),
    DataSetDeclaration(
        name="mini_imagenet",
        options="cilsim.data.mini_imagenet:MiniImageNetOptions",
        load="cilsim.data.mini_imagenet:load_mini_imagenet",
        facts="cilsim.data.mini_imagenet:facts_mini_imagenet",
        summary="miniImageNet: 100 classes, 50 000 + 10 000 photographs, 92 x 92; to fetch by hand",
        publication="cilsim.data.mini_imagenet:PUBLICATION",
    ),
    DataSetDeclaration(
        name="cub200",
        options="cilsim.data.cub200:Cub200Options",
        load="cilsim.data.cub200:load_cub200",
        facts="cilsim.data.cub200:facts_cub200",
        summary="CUB-200-2011: 200 birds, 5 994 + 5 794 photographs, 256 x 256; 1.2 GB to fetch",
        publication="cilsim.data.cub200:PUBLICATION",
    ),
    DataSetDeclaration(
        name="tiny_imagenet",
        options="cilsim.data.tiny_imagenet:TinyImageNetOptions",
        load="cilsim.data.tiny_imagenet:load_tiny_imagenet",
        facts="cilsim.data.tiny_imagenet:facts_tiny_imagenet",
        summary="TinyImageNet: 200 classes, 100 000 + 10 000 images, 64 x 64; 248 MB to fetch",
        publication="cilsim.data.tiny_imagenet:PUBLICATION",
    ),
    DataSetDeclaration(
        name="imagenet100",
        options="cilsim.data.imagenet100:ImageNet100Options",
        load="cilsim.data.imagenet100:load_imagenet100",
        facts="cilsim.data.imagenet100:facts_imagenet100",
        summary="100 classes of your copy of ImageNet, folders or archives, 256 x 256",
        publication="cilsim.data.imagenet100:PUBLICATION",
    ),
    DataSetDeclaration(
        name="core50",
        options="cilsim.data.core50:Core50Options",
        load="cilsim.data.core50:load_core50",
        facts="cilsim.data.core50:facts_core50",
        summary="CORe50: 50 objects filmed in 11 sessions (domains), 128 x 128; to fetch",
        publication="cilsim.data.core50:PUBLICATION",
    ),
    DataSetDeclaration(
        name="imagenet",
        options="cilsim.data.imagenet:ImageNetOptions",
        load="cilsim.data.imagenet:load_imagenet",
        facts="cilsim.data.imagenet:facts_imagenet",
        summary="ImageNet (ILSVRC 2012): 1000 classes, your copy as folders or archives, 256 x 256",
        publication="cilsim.data.imagenet:PUBLICATION",
    ),
    DataSetDeclaration(
        name="svhn",
        options="cilsim.data.svhn:SvhnOptions",
        load="cilsim.data.svhn:load_svhn",
        facts="cilsim.data.svhn:facts_svhn",
        summary="SVHN: digits of house numbers, 73 257 + 26 032 images, 32 x 32; 246 MB to fetch",
        publication="cilsim.data.svhn:PUBLICATION",
    ),
    DataSetDeclaration(
        name="stanford_cars",
        options="cilsim.data.stanford_cars:StanfordCarsOptions",
        load="cilsim.data.stanford_cars:load_stanford_cars",
        facts="cilsim.data.stanford_cars:facts_stanford_cars",
        summary="Stanford Cars: 196 models, 8 144 + 8 041 photographs, 256 x 256; to get by hand",
        publication="cilsim.data.stanford_cars:PUBLICATION",
    ),
    DataSetDeclaration(
        name="aircraft",
        options="cilsim.data.aircraft:AircraftOptions",
        load="cilsim.data.aircraft:load_aircraft",
        facts="cilsim.data.aircraft:facts_aircraft",
        summary="FGVC-Aircraft: 100 variants, 6 667 + 3 333 images, 256 x 256; 2.8 GB to fetch",
        publication="cilsim.data.aircraft:PUBLICATION",
    ),
    DataSetDeclaration(
        name="omniglot",
        options="cilsim.data.omniglot:OmniglotOptions",
        load="cilsim.data.omniglot:load_omniglot",
        facts="cilsim.data.omniglot:facts_omniglot",
        summary="Omniglot: 1623 handwritten characters, 20 drawings each, 28 x 28; to fetch",
        publication="cilsim.data.omniglot:PUBLICATION",
    ),
    DataSetDeclaration(
        name="mnist",
        options="cilsim.data.mnist:MnistOptions",
        load="cilsim.data.mnist:load_mnist",
        facts="cilsim.data.mnist:facts_mnist",
        summary="MNIST: 10 digits, 60 000 + 10 000 grey images, 28 x 28; 12 MB to fetch",
        publication="cilsim.data.mnist:PUBLICATION_MNIST",
    ),
    DataSetDeclaration(
        name="fashion_mnist",
        options="cilsim.data.mnist:MnistOptions",
        load="cilsim.data.mnist:load_fashion_mnist",
        facts="cilsim.data.mnist:facts_fashion_mnist",
        summary="Fashion-MNIST: 10 kinds of clothes, 60 000 + 10 000, 28 x 28; 31 MB to fetch",
        publication="cilsim.data.mnist:PUBLICATION_FASHION",
    ),
    DataSetDeclaration(
        name="kmnist",
        options="cilsim.data.mnist:MnistOptions",
        load="cilsim.data.mnist:load_kmnist",
        facts="cilsim.data.mnist:facts_kmnist",
        summary="KMNIST: 10 Japanese characters, 60 000 + 10 000, 28 x 28; to fetch",
        publication="cilsim.data.mnist:PUBLICATION_KMNIST",
    ),
    DataSetDeclaration(
        name="emnist",
        options="cilsim.data.emnist:EmnistOptions",
        load="cilsim.data.emnist:load_emnist",
        facts="cilsim.data.emnist:facts_emnist",
        summary="EMNIST: letters and digits, up to 62 classes, grey, 28 x 28; 562 MB to fetch",
        publication="cilsim.data.emnist:PUBLICATION",
    ),
    DataSetDeclaration(
        name="image_folder",
        options="cilsim.data.image_folder:ImageFolderOptions",
        load="cilsim.data.image_folder:load_image_folder",
        facts="cilsim.data.image_folder:facts_image_folder",
        summary="your images: one folder per class, train/ and test/ of these, or a CSV file",
    ),
    DataSetDeclaration(
        name="arrays",
        options="cilsim.data.arrays:ArraysOptions",
        load="cilsim.data.arrays:load_arrays",
        facts="cilsim.data.arrays:facts_arrays",
        summary="your images or features: an .npz file of x_train, y_train, x_test, y_test",
    ),
    DataSetDeclaration(
        name="tabular",
        options="cilsim.data.tabular:TabularOptions",
        load="cilsim.data.tabular:load_tabular",
        facts="cilsim.data.tabular:facts_tabular",
        summary="your table: a CSV or Parquet file of numbers and categories, gaps allowed",
    ),
)
