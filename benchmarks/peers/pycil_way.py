"""Prototype increments as PyCIL runs them: SimpleCIL (nearest class mean by cosine).

Repository LAMDA-CL/PyCIL, commit f3509b8 (29 January 2026): `models/simplecil.py`,
`models/base.py`, `utils/data_manager.py`.

Axis letters: N samples, B batch, K classes, D features.
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader

from benchmarks.peers.given import Given, Images, together
from benchmarks.peers.loading import features, plain_loader
from cilsim.bench.rounds import Decisions

BATCH, TOP = 128, 5


def selected(parts: list[Images], labels: range) -> Images:
    """Return the images of classes as PyCIL's `DataManager` collects them: class by class."""
    everything = together(parts)
    return together([everything.of_class(label) for label in labels])


class SimpleCilWay:
    """What PyCIL does in each task.

    It makes loaders of the new training images and of the test images of all classes seen, passes
    the new images through the backbone, writes the mean features into the rows of a cosine layer,
    and passes every test image of every class seen through network and layer in batches of 128,
    taking the best five classes of each.
    """

    def __init__(self, given: Given) -> None:
        self.given = given
        self.weight_KD = torch.empty(0, given.backbone.feature_size, device=given.device)  # type: ignore[call-overload]
        self._add_means(0)

    def increments(self) -> Decisions:
        """Run all tasks and return the predictions after each, one after the other."""
        return np.concatenate([self._task(task) for task in self.given.sessions()])

    def _task(self, task: int) -> Decisions:
        given = self.given
        tests = selected(given.tests[: task + 1], range(given.seen(task)))
        loader = plain_loader(given, tests, BATCH)
        self._add_means(task)
        return in_stream_order(given, task, tests, self._evaluate(loader)[:, 0])

    def _add_means(self, task: int) -> None:
        given = self.given
        new = given.new_labels(task)
        images = selected(given.trains[: task + 1], new)
        rows, labels = features(
            given.backbone, plain_loader(given, images, BATCH, shuffle=True), given.device
        )
        means = [torch.from_numpy(rows[labels == label]).mean(0) for label in new]
        self.weight_KD = torch.cat([self.weight_KD, torch.stack(means).to(given.device)])

    @torch.no_grad()
    def _evaluate(self, loader: DataLoader[object]) -> NDArray[np.int64]:
        best = []
        for images_BCHW, _ in loader:
            logits_BK = self._logits(self.given.backbone(images_BCHW.to(self.given.device)))
            best.append(logits_BK.topk(TOP, dim=1).indices.cpu().numpy())
        return np.concatenate(best)

    def _logits(self, features_BD: Tensor) -> Tensor:
        return F.linear(F.normalize(features_BD), F.normalize(self.weight_KD))


def in_stream_order(
    given: Given, task: int, tests: Images, predicted: NDArray[np.int64]
) -> Decisions:
    """Return predictions of class-by-class images in the order of the stream's test parts."""
    stream_labels = np.concatenate([part.labels for part in given.tests[: task + 1]])
    ordered = np.empty_like(predicted)
    ordered[np.argsort(stream_labels, kind="stable")] = predicted
    return ordered
