"""What is published of CIFAR-10 and CIFAR-100 (https://www.cs.toronto.edu/~kriz/cifar.html)."""

from __future__ import annotations

from dataclasses import dataclass

from cilsim.data.publication import Publication, PublishedFile


@dataclass(frozen=True)
class Source:
    """One of the two data sets: names, sizes and checksums (MD5, the only ones published).

    Attributes:
        name: as in a scenario.
        archive: file name of the archive, with its size and checksum.
        folder: what the archive unpacks to; it holds the following files.
        train_files: in the order in which their images are joined.
        test_file: the test images.
        meta_file: the class names.
        labels_key: of the list of class ids in a file of images.
        names_key: of the list of names in the meta file.
        file_md5: checksum of each file.
        mean: per channel of the training images, in [0, 1].
        std: likewise.
    """

    name: str
    archive: str
    archive_bytes: int
    archive_md5: str
    folder: str
    train_files: tuple[str, ...]
    test_file: str
    meta_file: str
    labels_key: str
    names_key: str
    file_md5: dict[str, str]
    mean: tuple[float, float, float]
    std: tuple[float, float, float]

    @property
    def address(self) -> str:
        """Where the archive is published."""
        return f"https://www.cs.toronto.edu/~kriz/{self.archive}"

    @property
    def publication(self) -> Publication:
        """What is published, for listing, fetching and verifying."""
        file = PublishedFile(
            self.archive, self.archive_md5, self.archive_bytes, (self.address,), (self.folder,)
        )
        classes = int(self.name.removeprefix("cifar"))
        members = {f"{self.folder}/{name}": md5 for name, md5 in self.file_md5.items()}
        terms = "not stated; cite Krizhevsky 2009"
        return Publication(
            self.name, self.address, terms, classes, 50_000, 10_000, (file,), members
        )


CIFAR10 = Source(
    name="cifar10",
    archive="cifar-10-python.tar.gz",
    archive_bytes=170_498_071,
    archive_md5="c58f30108f718f92721af3b95e74349a",
    folder="cifar-10-batches-py",
    train_files=tuple(f"data_batch_{number}" for number in range(1, 6)),
    test_file="test_batch",
    meta_file="batches.meta",
    labels_key="labels",
    names_key="label_names",
    file_md5={
        "data_batch_1": "c99cafc152244af753f735de768cd75f",
        "data_batch_2": "d4bba439e000b95fd0a9bffe97cbabec",
        "data_batch_3": "54ebc095f3ab1f0389bbae665268c751",
        "data_batch_4": "634d18415352ddfa80567beed471001a",
        "data_batch_5": "482c414d41f54cd18b22e5b47cb7c3cb",
        "test_batch": "40351d587109b95175f43aff81a1287e",
        "batches.meta": "5ff9c542aee3614f3951f8cda6e48888",
    },
    mean=(0.4914, 0.4822, 0.4465),
    std=(0.2470, 0.2435, 0.2616),
)
CIFAR100 = Source(
    name="cifar100",
    archive="cifar-100-python.tar.gz",
    archive_bytes=169_001_437,
    archive_md5="eb9058c3a382ffc7106e4002c42a8d85",
    folder="cifar-100-python",
    train_files=("train",),
    test_file="test",
    meta_file="meta",
    labels_key="fine_labels",
    names_key="fine_label_names",
    file_md5={
        "train": "16019d7e3df5f24257cddd939b257f8d",
        "test": "f0ef6b0ae62326f3e7ffdfab6717acfc",
        "meta": "7973b15100ade9c7d40fb424638fde48",
    },
    # as in the released code of TEEN and FACT
    mean=(0.5071, 0.4867, 0.4408),
    std=(0.2675, 0.2565, 0.2761),
)
PUBLICATION_10 = CIFAR10.publication
PUBLICATION_100 = CIFAR100.publication
