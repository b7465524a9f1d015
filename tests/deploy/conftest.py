"""Six digits as image files, and runs of many strategies on them."""

from __future__ import annotations

import io
from collections.abc import Callable
from contextlib import chdir, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from cilsim.cli.main import main

SCENARIO = """\
schema: 1
name: digits
stream:
  kind: class_incremental
  dataset: {name: image_folder, path: images, image_size: 16}
  sizes: [3, 2, 1]
backbone: {name: small, widths: [8, 16, 24]}
strategies:
  - finetune
  - joint
  - nmc
  - {name: nmc, as: euclidean, metric: euclidean}
  - {name: nmc, as: janson, preset: janson}
  - teen
  - slda
  - fetril
  - {name: ranpac, random_features: 60}
  - {name: ranpac, as: cosine-ranpac, random_features: 60, head: cosine}
  - fecam
  - {name: fecam, as: fecam-common, covariance: common}
  - {name: fecam, as: fecam-diagonal, covariance: diagonal}
  - {name: fecam, as: fecam-none, covariance: identity}
  - {name: fecam, as: fecam-head, first_experience: head}
  - {name: icarl, memory: 30}
  - {name: icarl, as: icarl-head, classifier: head, memory: 30}
  - pass
  - napa_vq
  - ssre
  - {name: nmc, as: teen-over-nmc, calibrators: [teen]}
threads: 1
checkpoints: {keep: 3}
base_training: {epochs: 3, batch_size: 16, lr: 0.05, schedule: one_cycle, schedule_interval: step}
training: {epochs: 1, batch_size: 16, lr: 0.01}
"""


@dataclass(frozen=True)
class Digits:
    """A folder with `images/<class>/<n>.png`, and the runs on it.

    Attributes:
        folder: of everything.
        runs: the run folder.
    """

    folder: Path
    runs: Path

    def run_of(self, strategy: str) -> Path:
        return self.runs / strategy / "seed-0"

    def training_images(self, name: str) -> list[Path]:
        """Return what the engine takes for training of a class, in its order."""
        from cilsim.data.folder_listing import list_images

        listing = list_images(self.folder / "images", 0.2)
        wanted = listing.class_names.index(name)
        chosen = np.flatnonzero(listing.train.class_ids == wanted)
        return [listing.root / listing.train.files[position] for position in chosen]


def write_images(folder: Path, classes: int, each: int) -> None:
    """Write scanned digits as grey PNG files, one folder per digit."""
    from sklearn.datasets import load_digits

    images, labels = load_digits(return_X_y=True)
    for label in range(classes):
        inside = folder / f"digit {label}"
        inside.mkdir(parents=True)
        for number, row in enumerate(images[labels == label][:each]):
            pixels = (row.reshape(8, 8) * 15.9).astype(np.uint8)
            Image.fromarray(pixels).save(inside / f"{number:03d}.png")


def run_here(folder: Path, *arguments: str) -> None:
    """Run a command in a folder, whose words are shown only if it fails."""
    words = io.StringIO()
    with chdir(folder), redirect_stdout(words), redirect_stderr(words):
        code = main([*arguments])
    assert code == 0, words.getvalue()


@pytest.fixture(scope="session")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Digits:
    """Runs of all strategies, made once."""
    folder = tmp_path_factory.mktemp("digits")
    write_images(folder / "images", classes=6, each=30)
    (folder / "digits.yaml").write_text(SCENARIO, encoding="utf-8")
    run_here(folder, "run", "digits.yaml", "--no-tensorboard", "--device", "cpu", "-q")
    return Digits(folder, folder / "runs" / "digits")


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str]) -> Callable[..., Any]:
    """Runs a command in this process and returns exit code, stdout and stderr."""

    def run(*arguments: str | Path) -> tuple[int, str, str]:
        capsys.readouterr()
        code = main([str(argument) for argument in arguments])
        return code, *capsys.readouterr()

    return run
