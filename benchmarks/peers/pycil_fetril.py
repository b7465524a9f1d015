"""FeTrIL's increments as PyCIL runs them.

Repository LAMDA-CL/PyCIL, commit f3509b8 (29 January 2026): `models/fetril.py`, `models/base.py`,
`exps/fetril.json`.

Axis letters: N samples, B batch, K classes, D features.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from benchmarks.peers.given import Given, Images
from benchmarks.peers.loading import features, plain_loader
from benchmarks.peers.pycil_way import BATCH, in_stream_order, selected
from cilsim.bench.rounds import Decisions

EPOCHS, LR, WEIGHT_DECAY, EVALUATED_EVERY = 50, 0.05, 5e-4, 5

Rows = tuple[NDArray[np.float32], NDArray[np.int64]]


class FetrilWay:
    """What PyCIL does in each task.

    It extracts the new training images class by class, a loader each, for the means, and again
    for the training set; makes pseudo-features of the old classes; extracts the test images of
    all classes seen, a loader for each class; trains a linear layer for 50 epochs on the features,
    one collated vector at a time, and at every fifth epoch passes all test images of all classes
    seen through the network to report an accuracy; fits scikit-learn's `LinearSVC` and scores
    it on both sets; and passes all test images through the network once more for the result.

    Its SVM's predictions are compared with ours. Its linear layer is a second classifier that
    the SVM does not need: with `head` False neither it nor what evaluates it is run.
    """

    def __init__(self, given: Given, *, head: bool) -> None:
        self.given = given
        self.head = head
        self.means: list[NDArray[np.float32]] = []
        self._add_means(0)
        size: int = given.backbone.feature_size  # type: ignore[assignment]
        self.fc = nn.Linear(size, given.seen(0)).to(given.device)

    def increments(self) -> Decisions:
        """Run all tasks and return the SVM's predictions after each, one after the other."""
        return np.concatenate([self._task(task) for task in self.given.sessions()])

    def _task(self, task: int) -> Decisions:
        given = self.given
        tests = selected(given.tests[: task + 1], range(given.seen(task)))
        loader = plain_loader(given, tests, BATCH)
        self._grow(given.seen(task))
        self._add_means(task)
        train, test = self._training_rows(task), self._rows(tests, range(given.seen(task)))
        if self.head:
            self._train_head(train, loader)
        predicted = self._svm(train, test)
        if self.head:
            self._accuracy(loader)
        return in_stream_order(given, task, tests, predicted)

    def _grow(self, classes: int) -> None:
        grown = nn.Linear(self.fc.in_features, classes).to(self.given.device)
        with torch.no_grad():
            grown.weight[: self.fc.out_features] = self.fc.weight
            grown.bias[: self.fc.out_features] = self.fc.bias
        self.fc = grown

    def _rows(self, images: Images, labels: range) -> Rows:
        """Return features class by class, a loader for each class."""
        given = self.given
        parts = [
            features(
                given.backbone, plain_loader(given, images.of_class(label), BATCH), given.device
            )
            for label in labels
        ]
        return np.concatenate([rows for rows, _ in parts]), np.concatenate([y for _, y in parts])

    def _new_rows(self, task: int) -> Rows:
        return self._rows(self.given.trains[task], self.given.new_labels(task))

    def _add_means(self, task: int) -> None:
        rows, labels = self._new_rows(task)
        self.means += [rows[labels == label].mean(0) for label in self.given.new_labels(task)]

    def _training_rows(self, task: int) -> Rows:
        """Return the new features and, for each old class, those of the most similar new one."""
        rows, labels = self._new_rows(task)
        new = self.given.new_labels(task)
        parts, names = [rows], [labels]
        for old, source in enumerate(self._sources(new.start)):
            lent = rows[labels == source] - self.means[source] + self.means[old]
            parts.append(lent)
            names.append(np.full(len(lent), old, dtype=np.int64))
        return np.concatenate(parts), np.concatenate(names)

    def _sources(self, known: int) -> NDArray[np.int64]:
        means_KD = np.array(self.means)
        unit_KD = means_KD / np.linalg.norm(means_KD, axis=1)[:, None]
        nearest: NDArray[np.int64] = np.argmax(unit_KD[:known] @ unit_KD[known:].T, axis=1)
        return nearest + known

    def _train_head(self, train: Rows, loader: DataLoader[Any]) -> None:
        rows = TensorDataset(torch.from_numpy(train[0]), torch.from_numpy(train[1]))
        batches = DataLoader(rows, BATCH, shuffle=True, num_workers=self.given.workers())
        optimiser = torch.optim.SGD(
            self.fc.parameters(), lr=LR, momentum=0.9, weight_decay=WEIGHT_DECAY
        )
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, T_max=EPOCHS)
        for epoch in range(EPOCHS):
            for features_BD, label_B in batches:
                features_BD = features_BD.to(self.given.device)
                label_B = label_B.to(self.given.device)
                logits_BK = self.fc(features_BD)
                loss = F.cross_entropy(logits_BK, label_B)
                optimiser.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]
                optimiser.step()
                loss.item()
                (logits_BK.argmax(1) == label_B).cpu().sum()
            schedule.step()
            if epoch % EVALUATED_EVERY == 0:
                self._accuracy(loader)

    @torch.no_grad()
    def _accuracy(self, loader: DataLoader[Any]) -> float:
        correct = 0
        for images_BCHW, label_B in loader:
            logits_BK = self.fc(self.given.backbone(images_BCHW.to(self.given.device)))
            correct += int((logits_BK.argmax(1).cpu() == label_B).sum())
        return correct

    def _svm(self, train: Rows, test: Rows) -> NDArray[np.int64]:
        from sklearn.svm import LinearSVC

        train_ND, test_ND = (
            rows / np.linalg.norm(rows, axis=1)[:, None] for rows, _ in (train, test)
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that it did not converge
            classifier = LinearSVC(random_state=42).fit(train_ND, train[1])
        classifier.score(train_ND, train[1])
        classifier.score(test_ND, test[1])
        predicted: NDArray[np.int64] = classifier.predict(test_ND)
        return predicted
