"""The strategy: one object per run. Override few methods; each has a working default.

Axis letters: B batch, C channels, H W pixels, D features, K classes seen, N samples.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import torch.nn.functional as F
from torch import Tensor

from cilsim.options import Options
from cilsim.strategy.experience import Experience, FeatureSet
from cilsim.strategy.plain_classifier import PlainClassifier, of_head
from cilsim.training.batch import Batch, TrainingLoss

if TYPE_CHECKING:
    from cilsim.strategy.context import Context


class Strategy:
    """A continual-learning method.

    The defaults make plain fine-tuning: the backbone and the head are trained on each experience
    with cross-entropy over all classes seen so far, and scores are the head's logits.

    Attributes:
        options: what the scenario set, validated.
        context: the services of the engine; see `cilsim.Context`.
        prototypes: (K, D) one vector per class seen, or None for a strategy without prototypes.
            Calibrators change these rows after `learn`.
    """

    scores_images: ClassVar[bool] = False
    """Whether `scores` takes normalised images (B, C, H, W) rather than features (B, D)."""

    plain_base: ClassVar[bool] = False
    """Whether its base training is the default one although it overrides a method of the training
    step; then it shares the base with strategies that override none."""

    mean_loss: ClassVar[bool] = True
    """Whether `loss` is a mean over the samples of a batch, each counted for itself; then a batch
    for which there is no memory may be done in two halves. A class with a `loss` of its own must
    say so itself; what it inherits does not count."""

    adds_classes_without_training: ClassVar[bool] = False
    """Whether `learn` of later experiences trains no network and recalls no sample, so that
    `cilsim extend` can add a class to a finished run. A class with a `learn` of its own must say so
    itself; what it inherits does not count."""

    def __init__(self, options: Options, context: Context) -> None:
        self.options: Any = options
        self.context = context
        self.prototypes: Tensor | None = None

    def setup(self) -> None:
        """Prepare once, before the first experience."""

    def learn(self, experience: Experience) -> None:
        """Learn one experience."""
        if experience.index == 0:
            self.context.train_base(experience)
        else:
            self.context.fit(experience.labelled)

    def after_calibration(self, experience: Experience) -> None:
        """Do what needs the final prototypes, such as fitting a classifier.

        Called once per experience, after `learn` and the calibrators of the scenario.
        """

    def loss(self, batch: Batch) -> TrainingLoss:
        """Return the loss of one optimiser step: cross-entropy over the classes seen."""
        logits_BK = self.context.head(self.context.backbone(batch.x))
        smoothing = self.context.recipe.label_smoothing
        assert batch.labels is not None  # fit() refuses parts without labels
        total = F.cross_entropy(logits_BK, batch.labels, label_smoothing=smoothing)
        return TrainingLoss(total, logits=logits_BK)

    def transform_batch(self, batch: Batch) -> Batch:
        """Return the batch to train on, for example with rotated copies added."""
        return batch

    def parameter_groups(self) -> list[dict[str, Any]] | None:
        """Return the optimiser's parameter groups, or None for all trainable parameters."""
        return None

    def after_backward(self) -> None:
        """Edit gradients between the backward pass and the optimiser step."""

    def scores(self, x: Tensor) -> Tensor:
        """Return (B, K) scores over the classes seen; the largest is the prediction."""
        scores_BK: Tensor = self.context.head(x)
        return scores_BK

    def plain_classifier(self) -> PlainClassifier | None:
        """Return what `scores` computes as plain tensors for `cilsim export`, None if it cannot.

        The default describes the head. A class with `scores` of its own must describe them itself;
        what it inherits does not count.
        """
        return of_head(self.context.head)

    def assign(self, feature_set: FeatureSet) -> Tensor:
        """Return (N,) a cluster id per sample of a whole set, for discovery streams."""
        return self.scores(feature_set.features).argmax(1)

    def state_dict(self) -> dict[str, Any]:
        """Return what must survive an interruption besides backbone and head.

        Tensors and plain data, nested as you like. The prototypes are included for you if you
        extend what this method returns.
        """
        return {"prototypes": self.prototypes}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over what `state_dict` returned; tensors are on the run's device."""
        self.prototypes = state["prototypes"]

    def kept(self) -> Mapping[str, int]:
        """Return the bytes stored between experiences besides the model, by kind."""
        return {} if self.prototypes is None else {"prototypes": bytes_of(self.prototypes)}


def bytes_of(tensor: Tensor) -> int:
    """Return the size of a tensor's elements in bytes."""
    return tensor.numel() * tensor.element_size()


def customises_training(strategy: Strategy) -> bool:
    """Return whether a strategy changes how the base is trained, so that it cannot share it."""
    methods = ("loss", "transform_batch", "parameter_groups", "after_backward")
    hooks = ("cilsim_training_loss", "cilsim_train_experience")
    kind = type(strategy)
    if kind.plain_base:
        return False
    return any(getattr(kind, name) is not getattr(Strategy, name) for name in methods) or any(
        hasattr(kind, hook) for hook in hooks
    )


def loss_is_mean(strategy: Strategy) -> bool:
    """Return whether the class that wrote a strategy's loss says that it is a mean over samples."""
    author = next(kind for kind in type(strategy).__mro__ if "loss" in vars(kind))
    return bool(vars(author).get("mean_loss", False))


def transforms_batches(strategy: Strategy) -> bool:
    """Return whether a strategy changes batches before its loss."""
    return type(strategy).transform_batch is not Strategy.transform_batch
