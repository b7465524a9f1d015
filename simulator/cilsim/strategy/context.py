"""The services of the engine that a strategy works with.

Axis letters: N samples, D features, K classes.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from cilsim.data.samples import Samples
from cilsim.features.augmented import augmented_features
from cilsim.features.cache import FeatureCache
from cilsim.prototypes.means import class_means
from cilsim.records import RunInfo
from cilsim.scenario.recipe import Augmentation, Recipe
from cilsim.seeding import derive_seed
from cilsim.solvers.assignment import match_clusters
from cilsim.solvers.kmeans import KMeansResult, kmeans
from cilsim.solvers.linear_svm import fit_linear_svm
from cilsim.strategy.base_training import BaseTraining
from cilsim.strategy.experience import Experience
from cilsim.strategy.model import Model
from cilsim.strategy.trainer import Loss, Trainer
from cilsim.training.batch import Batch
from cilsim.training.head import Head
from cilsim.training.modes import set_layout

Recall = Callable[[Tensor, Tensor | None], Samples]


class Context:
    """What a strategy can ask for. Test samples, future classes and hidden labels are not here.

    Attributes:
        run: facts about the run.
        base_recipe: the scenario's `base_training`.
        training_recipe: the scenario's `training`, for experiences after the base.
        device: where tensors live.
        base_classes: number of classes of experience 0.
        seen_classes: number of classes seen, those of the current experience included.
        experience_index: the current experience.
    """

    def __init__(
        self,
        run: RunInfo,
        model: Model,
        trainer: Trainer,
        base: BaseTraining,
        features: FeatureCache,
        recall: Recall,
        recipes: tuple[Recipe, Recipe],
        device: torch.device,
    ) -> None:
        self.run = run
        self.base_recipe, self.training_recipe = recipes
        self.device = device
        self.base_classes = len(run.stream.experiences[0].new_labels)
        self.seen_classes = 0
        self.experience_index = 0
        self._model = model
        self._trainer = trainer
        self._base = base
        self._features = features
        self._recall = recall
        self._strategy: Any = None
        self._logged: dict[str, Tensor | float] = {}

    # ---------------------------------------------------------------- network

    @property
    def backbone(self) -> nn.Module:
        """Normalised samples (B, ...) to features (B, D)."""
        return self._model.backbone

    @property
    def head(self) -> Head:
        """Features (B, D) to logits (B, K) over the classes seen."""
        return self._model.head

    @property
    def recipe(self) -> Recipe:
        """The recipe of the training that is under way."""
        return self._trainer.recipe

    @property
    def experience_recipe(self) -> Recipe:
        """The scenario's recipe for the current experience: `base_training` or `training`."""
        return self.training_recipe if self.experience_index else self.base_recipe

    def old_model(self) -> tuple[nn.Module, nn.Module]:
        """Return frozen copies of backbone and head as they are now, in evaluation mode.

        The copies are yours to keep; report their bytes in `kept`.
        """
        copies = copy.deepcopy((self._model.backbone, self._model.head))
        # rounding depends on the layout, which a restored model need not share with a trained one
        set_layout(copies, self.experience_recipe.channels_last)
        for module in copies:
            module.requires_grad_(False).eval()
        return copies

    def reset_model(self) -> None:
        """Start backbone and head afresh, with the head open for all classes seen."""
        generator = self.generator("reset")
        self._model.reset(generator)
        self._model.head.open(self.seen_classes, generator)

    # --------------------------------------------------------------- training

    def train_base(
        self,
        experience: Experience,
        *,
        for_features: bool = False,
        modules: Mapping[str, nn.Module] | None = None,
    ) -> None:
        """Train backbone and head on the base, or reuse an equal base trained before.

        Args:
            experience: the base.
            for_features: the head will not be used, so that a backbone without parameters
                needs no training at all.
            modules: further modules that the strategy's loss trains, by name; they must start
                the same whenever strategy, options and seed do.
        """
        if for_features and not self._model.trainable:
            return
        self._base.train(self._strategy, experience.labelled, self.base_recipe, modules)

    def fit(
        self,
        samples: Samples,
        *,
        recipe: Recipe | None = None,
        modules: Mapping[str, nn.Module] | None = None,
        loss: Loss | None = None,
    ) -> None:
        """Train backbone, head and further `modules` with the strategy's `loss`.

        Args:
            samples: what to train on.
            recipe: default the scenario's `training`.
            modules: further modules to train, by a name that stays the same.
            loss: another loss, for a classifier of the strategy's own: `modules` alone are
                trained with it, and what the strategy or hooks make of a step stays out.
        """
        recipe = recipe or self.training_recipe
        self._trainer.fit(self._strategy, samples, recipe, modules, loss=loss)

    def recall(self, index_N: Tensor, labels_N: Tensor | None = None) -> Samples:
        """Return samples seen before by their position in the data set (`Samples.index`).

        What you recall is stored data: count its bytes in `kept`. Labels are those that you kept.

        Raises:
            ValueError: a sample was never given to this strategy.
        """
        return self._recall(index_N, labels_N)

    # --------------------------------------------------------------- features

    def features(self, samples: Samples) -> Tensor:
        """Return (N, D) float32 features under the test transform, cached per backbone version."""
        return self._features.features(self._model.backbone, self._model.version, samples)

    def augmented_features(
        self, samples: Samples, augmentation: Augmentation, *, quarter_turns: int = 0
    ) -> Tensor:
        """Return (N, D) float32 features of the images as an augmentation changes them, not cached.

        Equal calls in one experience see equal images; see `cilsim.features.augmented`.
        """
        seed_path = (self.run.seed, self.experience_index, "augmented_features")
        return augmented_features(
            self._model.backbone, samples, augmentation, seed_path, quarter_turns=quarter_turns
        )

    def class_means(
        self, experience: Experience, embed: Callable[[Tensor], Tensor] | None = None
    ) -> Tensor:
        """Return (new classes, D) means of the labelled samples' features.

        Args:
            experience: whose labelled samples.
            embed: applied to the (N, D) features before averaging, such as a normalisation.
        """
        samples = experience.labelled
        assert samples.labels is not None  # `labelled` never returns a part without labels
        features_ND = self.features(samples)
        embedded_ND = embed(features_ND) if embed else features_ND
        return class_means(embedded_ND, samples.labels, experience.new_labels)

    # ---------------------------------------------------------------- solvers

    def kmeans(
        self, features_ND: Tensor, clusters: int, *, n_init: int = 10, max_iterations: int = 100
    ) -> KMeansResult:
        """Cluster features; the draws depend on seed and experience alone."""
        return kmeans(
            features_ND,
            clusters,
            generator=self.generator("kmeans"),
            n_init=n_init,
            max_iterations=max_iterations,
        )

    match_clusters = staticmethod(match_clusters)
    fit_linear_svm = staticmethod(fit_linear_svm)

    # ------------------------------------------------------- randomness, logs

    def generator(self, name: str) -> torch.Generator:
        """Return a fresh CPU generator for (seed, experience, name): the same at every call."""
        seed = derive_seed(self.run.seed, self.experience_index, "strategy", name)
        return torch.Generator().manual_seed(seed)

    def step_generator(self, batch: Batch, name: str) -> torch.Generator:
        """Return a fresh CPU generator for (seed, experience, epoch, step, name).

        What a loss draws from it is drawn again after a resume inside the training.
        """
        place = (batch.experience, batch.epoch, batch.step, "strategy", name)
        return torch.Generator().manual_seed(derive_seed(self.run.seed, *place))

    def log(self, name: str, value: Tensor | float) -> None:
        """Report a value for this experience; a tensor is read once, after training."""
        self._logged[name if "/" in name else f"strategy/{name}"] = value

    # ------------------------------------------------------------- the engine

    def bind(self, strategy: Any) -> None:
        """Used by the engine: say which strategy this context serves."""
        self._strategy = strategy

    def begin_experience(self, experience: Experience) -> None:
        """Used by the engine: move on to an experience and open the head for its classes."""
        self.experience_index = experience.index
        self.seen_classes = experience.seen_classes
        self._trainer.begin_experience(experience.index)
        self._model.head.open(experience.new_classes, self.generator("head"))

    def take_logged(self) -> dict[str, float]:
        """Used by the engine: return what was logged since the last call."""
        logged = {name: float(value) for name, value in self._logged.items()}
        self._logged = {}
        return logged
