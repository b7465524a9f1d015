"""Few-shot increments as TEEN's official code runs them.

Repository wangkiw/TEEN, commit 2ba5165: `models/teen/fscil_trainer.py`, `models/teen/helper.py`,
`models/teen/Network.py`, `dataloader/data_utils.py`, `utils.py`; arguments as in `train.py`.

Axis letters: N samples, B batch, K classes, D features, C channels, H W pixels.
"""

from __future__ import annotations

from copy import deepcopy

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from benchmarks.peers.given import Given, together
from benchmarks.peers.loading import features, plain_loader
from cilsim.bench.rounds import Decisions

TEMPERATURE, SOFTMAX_SCALE, TEST_BATCH = 16.0, 16.0, 100


class CosineNetwork(nn.Module):
    """The backbone with one weight per class of the whole stream, used by cosine."""

    def __init__(self, backbone: nn.Module, classes: int) -> None:
        super().__init__()
        self.backbone = backbone
        size: int = backbone.feature_size  # type: ignore[assignment]
        self.fc = nn.Linear(size, classes, bias=False)

    def forward(self, images_BCHW: Tensor) -> Tensor:
        features_BD = F.normalize(self.backbone(images_BCHW))
        return TEMPERATURE * F.linear(features_BD, F.normalize(self.fc.weight))


class TeenWay:
    """What the official trainer does in each session.

    It makes new data sets and loaders (all shots in one batch, all test images of all classes
    seen in batches of 100), loads the best state into the network, passes the shots through it,
    writes calibrated prototypes, passes every test image of every class seen through network
    and head over all classes of the stream, with loss, top-1 and top-5 read after each batch and
    logits concatenated, makes scikit-learn's confusion matrix, and copies the network's state.
    """

    def __init__(self, given: Given, shift_weight: float) -> None:
        self.given = given
        self.shift_weight = shift_weight
        network = CosineNetwork(deepcopy(given.backbone), given.seen(len(given.trains) - 1))
        self.network = network.to(given.device).eval()
        self.base = given.seen(0)
        with torch.no_grad():
            self._write_means(0, plain_loader(given, given.trains[0], 128))
        self.best_state = deepcopy(self.network.state_dict())

    def increments(self) -> Decisions:
        """Run all sessions and return the predictions after each, one after the other."""
        return np.concatenate([self._session(session) for session in self.given.sessions()])

    @torch.no_grad()
    def _session(self, session: int) -> Decisions:
        given = self.given
        shots = given.trains[session]
        shot_loader = plain_loader(given, shots, len(shots))
        loader = plain_loader(given, together(given.tests[: session + 1]), TEST_BATCH)
        self.network.load_state_dict(self.best_state)
        self._write_means(session, shot_loader)
        self._calibrate(given.new_labels(session))
        logits_NK = self._test(loader, given.seen(session))
        self.best_state = deepcopy(self.network.state_dict())
        return logits_NK.argmax(1).numpy()

    def _write_means(self, session: int, loader: torch.utils.data.DataLoader[object]) -> None:
        rows, labels = features(self.network.backbone, loader, self.given.device)
        for label in self.given.new_labels(session):
            mean = torch.from_numpy(rows[labels == label]).mean(0)
            self.network.fc.weight.data[label] = mean.to(self.given.device)

    def _calibrate(self, labels: range) -> None:
        weight_KD = self.network.fc.weight.data
        base_KD = F.normalize(weight_KD[: self.base].cpu())
        new_KD = F.normalize(weight_KD[labels.start : labels.stop].cpu())
        similar = torch.softmax(SOFTMAX_SCALE * new_KD @ base_KD.T, dim=1)
        mixture_KD = F.normalize(similar @ base_KD)
        calibrated_KD = (1 - self.shift_weight) * new_KD + self.shift_weight * mixture_KD
        weight_KD[labels.start : labels.stop] = calibrated_KD.to(weight_KD.device)

    def _test(self, loader: torch.utils.data.DataLoader[object], seen: int) -> Tensor:
        from sklearn.metrics import confusion_matrix

        logits, labels = torch.tensor([]), torch.tensor([])
        for images_BCHW, label_B in loader:
            images_BCHW, label_B = images_BCHW.to(self.given.device), label_B.to(self.given.device)
            logits_BK = self.network(images_BCHW)[:, :seen]
            F.cross_entropy(logits_BK, label_B).item()
            (logits_BK.argmax(1) == label_B).float().mean().item()
            (logits_BK.topk(5).indices == label_B.view(-1, 1)).sum().item()
            logits = torch.cat([logits, logits_BK.cpu()])
            labels = torch.cat([labels, label_B.cpu()])
        logits_NK = logits.view(-1, seen)
        confusion_matrix(labels, logits_NK.argmax(1), normalize="true")
        return logits_NK
