"""The network that stock strategies train: our backbone below a classifier of Avalanche's kind.

Axis letters: B batch, D features, K outputs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Any

import torch
from avalanche.models import FeCAMClassifier, IncrementalClassifier, NCMClassifier, TrainEvalModel
from avalanche.models.base_model import BaseModel
from torch import Tensor, nn

from cilsim.training.precision import autocast


class Features(nn.Module):
    """The backbone, in the recipe's precision while it is trained.

    Attributes:
        feature_size: D.
        precision: of the recipe that is under way.
    """

    def __init__(self, backbone: nn.Module, feature_size: int) -> None:
        super().__init__()
        self.backbone = backbone
        self.feature_size = feature_size
        self.precision = "float32"

    def forward(self, x: Tensor) -> Tensor:
        """Return (B, D) float32 features."""
        with autocast(self.precision if self.training else "float32", x.device):
            features_BD: Tensor = self.backbone(x)
        return features_BD.float()


class StockNetwork(nn.Module, BaseModel):  # type: ignore[misc] # avalanche has no types
    """Features and a classifier, under names that stock strategies are told.

    Attributes:
        extractor: gives (B, D).
        classifier: gives (B, K).
        features: (B, D) of the last batch for FeatureDistillationPlugin, which reads them here;
            else None, as most strategies copy the network and autograd's tensors refuse that.
        exposes_features: whether that plugin is there.
    """

    def __init__(self, extractor: Features, classifier: nn.Module) -> None:
        super().__init__()
        self.extractor = extractor
        self.classifier = classifier
        self.features: Tensor | None = None
        self.exposes_features = False

    def get_features(self, x: Tensor) -> Tensor:
        """Return (B, D) features."""
        features_BD: Tensor = self.extractor(x)
        return features_BD

    def forward(self, x: Tensor) -> Tensor:
        """Return (B, K) logits."""
        features_BD = self.get_features(x)
        if self.exposes_features:
            self.features = features_BD
        logits_BK: Tensor = self.classifier(features_BD)
        return logits_BK


def _linear(features: Features, classes: int) -> nn.Module:
    return StockNetwork(features, nn.Linear(features.feature_size, classes))


def _incremental(features: Features, classes: int) -> nn.Module:
    return StockNetwork(
        features, IncrementalClassifier(features.feature_size, initial_out_features=1)
    )


def _with_eval_classifier(make: Callable[[], Any]) -> Callable[[Features, int], nn.Module]:
    def build(features: Features, classes: int) -> nn.Module:
        linear = nn.Linear(features.feature_size, classes)
        network: nn.Module = TrainEvalModel(features, linear, make())
        return network

    return build


HEADS: Mapping[str, Callable[[Features, int], nn.Module]] = {
    "linear": _linear,
    "incremental": _incremental,
    "ncm": _with_eval_classifier(NCMClassifier),
    "fecam": _with_eval_classifier(FeCAMClassifier),
}
"""What is above the backbone, by name: a function of features and the classes of the stream."""


def stock_network(head: str, features: Features, classes: int) -> nn.Module:
    """Return a network; a new classifier draws its weights from torch's global generator."""
    return HEADS[head](features, classes)


def fingerprint(network: nn.Module) -> str:
    """Return the SHA-256 over a network's tensors, as hexadecimal text."""
    digest = sha256()
    for name, tensor in sorted(network.state_dict().items()):
        if isinstance(tensor, torch.Tensor):
            digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
            digest.update(
                tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().data
            )
    return digest.hexdigest()
