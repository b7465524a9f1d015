"""FRoST: the strategy.

Axis letters: N rows or samples, B images, D features, K classes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from cilsim import Batch, Experience, FeatureSet, Strategy, TrainingLoss
from cilsim.data.samples import NO_LABEL
from cilsim.errors import RunFailed
from cilsim.strategy.strategy import bytes_of
from cilsim.training.head import Head
from cilsim.training.sampling import balanced_views
from cilsim_frost.freezing import drop_gradients, prefix_complaint, trained_parameters
from cilsim_frost.stage import Stage, look_novel, lower_new_biases
from cilsim_frost.statistics import class_statistics, replayable, shared_spread, widened
from cilsim_frost.terms import discovery_terms, held_terms, labelled_terms, summed


class Frost(Strategy):
    """A novel head finds the clusters of a stage and teaches them to the joint head.

    Images belong together if their largest features are the same ones. The joint head has an
    output per class seen and grows with each stage; against forgetting, features of earlier
    classes are drawn from their mean and a shared spread, and features are held where the model
    before had them. No exemplars: per class two vectors of D float32. Roy et al. 2022.
    """

    plain_base = True

    def setup(self) -> None:
        """Nothing is learnt yet."""
        self._spreads_KD: Tensor | None = None
        self._stage: Stage | None = None

    # ---------------------------------------------------------------- stages

    def learn(self, experience: Experience) -> None:
        """Train on labelled samples alone at first; then discover the classes of each stage."""
        self._stage = None
        if experience.index == 0:
            self.context.train_base(experience)
        self._note_labelled(experience)
        if experience.index or experience.unlabelled is not None:
            self._learn_stage(experience)

    def _learn_stage(self, experience: Experience) -> None:
        complaint = prefix_complaint(self.context.backbone, self.options.frozen_prefixes)
        if complaint is not None:
            raise RunFailed(f"strategy '{self.context.run.strategy}': {complaint}")
        # in experience 0, which may have unlabelled samples too, the base was just trained
        before = experience.old_classes or experience.seen_classes
        novel = self.context.novel_classes(experience)
        if experience.train is None and not novel:
            return  # samples of known classes without labels teach nothing here
        lower_new_biases(self.context.head, before)
        self._stage = self._new_stage(experience, before, novel)
        samples, novel_head = experience.everything, self._stage.novel_head
        assert samples.labels is not None  # joined samples have them
        modules = {} if novel_head is None else {"novel_head": novel_head}
        self.context.fit(samples, modules=modules, sampling=balanced_views(samples.labels))
        self._note_labelled(experience)
        self._note_novel(experience)

    def _new_stage(self, experience: Experience, before: int, novel: int) -> Stage:
        assert self.prototypes is not None  # the base has both
        assert self._spreads_KD is not None
        moves = any(parameter.requires_grad for parameter in self.context.backbone.parameters())
        held = moves and self.options.distillation_weight > 0
        class_K = replayable(self._spreads_KD[:before])
        return Stage(
            known=experience.seen_classes,
            novel_head=self._new_novel_head(novel) if novel else None,
            counts=self._novel_samples(experience, novel),
            labelled=experience.train is not None,
            before=self.context.old_model()[0] if held else None,
            means=self.prototypes[class_K],
            classes=class_K,
            spread=shared_spread(self._spreads_KD[class_K]),
        )

    def _new_novel_head(self, novel: int) -> Head:
        head = Head(self.context.head.weight.shape[1], novel).to(self.context.device)
        head.open(novel, self.context.generator("frost/novel head"))
        return head

    def _novel_samples(self, experience: Experience, novel: int) -> Tensor:
        """Return (N,) bool: the samples that the novel head learns from."""
        everything, unlabelled = experience.everything, experience.unlabelled
        assert everything.labels is not None  # joined samples have them
        assert self.prototypes is not None  # of the base
        hidden_N = everything.labels == NO_LABEL
        disjoint = self.context.run.stream.kind == "novel_class_discovery"
        if unlabelled is None or disjoint or not novel:
            return hidden_N
        features_ND = F.normalize(self.context.features(unlabelled))
        clusters = min(self.context.seen_classes, len(features_ND))
        result = self.context.kmeans(features_ND, clusters)
        chosen_N = look_novel(result.labels, result.centres, self.prototypes, novel)
        hidden_N[-len(chosen_N) :] = chosen_N
        return hidden_N

    # ------------------------------------------------------------ statistics

    def _note_labelled(self, experience: Experience) -> None:
        if experience.train is not None:
            labels_N = experience.labelled.labels
            assert labels_N is not None  # `labelled` has them
            features_ND = self.context.features(experience.train)
            self._note(features_ND, labels_N, torch.unique(labels_N).tolist())

    def _note_novel(self, experience: Experience) -> None:
        if self._stage is None or self._stage.novel_head is None:
            return
        assert experience.unlabelled is not None  # else nothing would be novel
        features_ND = self.context.features(experience.unlabelled)
        with torch.no_grad():
            clusters_N = self._stage.clusters(features_ND, self.scores(features_ND))
        self._note(features_ND, clusters_N, range(self._stage.known, self.context.seen_classes))

    def _note(self, features_ND: Tensor, labels_N: Tensor, classes: Sequence[int]) -> None:
        """Put the statistics of some classes into the tables."""
        means_KD, spreads_KD = (
            widened(table_KD, features_ND, self.context.seen_classes)
            for table_KD in (self.prototypes, self._spreads_KD)
        )
        rows = list(classes)
        means_KD[rows], spreads_KD[rows] = class_statistics(features_ND, labels_N, rows)
        self.prototypes, self._spreads_KD = means_KD, spreads_KD

    # ----------------------------------------------------------------- loss

    def parameter_groups(self) -> list[dict[str, Any]] | None:
        """Return what a stage trains, if some of the backbone is left out of it.

        These parts take gradients all the same, so that their batch norms stay in train mode: in
        the released code their statistics go on moving.
        """
        prefixes = self.options.frozen_prefixes
        if self._stage is None or not prefixes:
            return None
        heads = (self.context.head, self._stage.novel_head)
        return [{"params": trained_parameters(self.context.backbone, heads, prefixes)}]

    def after_backward(self) -> None:
        """Drop the gradients of what is left out."""
        if self._stage is not None and self.options.frozen_prefixes:
            drop_gradients(self.context.backbone, self.options.frozen_prefixes)

    def loss(self, batch: Batch) -> TrainingLoss:
        """Return the base's cross-entropy, or the sum of a stage's terms."""
        stage, context, options = self._stage, self.context, self.options
        if stage is None:
            return super().loss(batch)
        features_ND = context.backbone(batch.x)
        view_BD = features_ND[: len(features_ND) // 2]
        joint_BK = context.head(view_BD)
        generator = context.step_generator(batch, "frost/replay")
        assert batch.labels is not None  # joined samples have them
        terms = {
            **labelled_terms(stage, joint_BK, batch.labels),
            **discovery_terms(stage, features_ND, joint_BK, batch, context.recipe, options),
            **held_terms(stage, view_BD, batch, context.head, generator, options),
        }
        return summed(terms)

    # ----------------------------------------------------- predictions, state

    def assign(self, feature_set: FeatureSet) -> Tensor:
        """Return the novel head's clusters of the stage's own samples, of others the joint head's.

        Both are outputs of the joint head: cluster i stands after all classes known before.
        """
        joint_NK = self.scores(feature_set.features)
        if feature_set.name == "unlabelled" and self._stage is not None:
            return self._stage.clusters(feature_set.features, joint_NK)
        return joint_NK.argmax(1)

    def state_dict(self) -> dict[str, Any]:
        """Return means and standard deviations."""
        return {**super().state_dict(), "spreads": self._spreads_KD}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over what `state_dict` returned."""
        super().load_state_dict(state)
        self._spreads_KD = state["spreads"]

    def kept(self) -> Mapping[str, int]:
        """Return the bytes of means and standard deviations."""
        kept = dict(super().kept())
        if self._spreads_KD is not None:
            kept["standard deviations"] = bytes_of(self._spreads_KD)
        return kept
