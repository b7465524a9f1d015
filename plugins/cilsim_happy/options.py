"""Options of Happy."""

from typing import Annotated, Literal

from pydantic import Field

from cilsim.scenario.cosine_discovery_options import CosineDiscoveryOptions, Temperature

Weight = Annotated[float, Field(ge=0.0, le=1000.0)]


class HappyOptions(CosineDiscoveryOptions):
    """Weights and temperatures; the defaults are those of the released commands for CIFAR-100."""

    start: Literal["supervised", "as_given"] = "supervised"
    """What the backbone is before stage 0: trained on the labelled samples with the scenario's
    `base_training`, a base that other strategies share, or as it is, such as pretrained (paper).
    Stage 0 itself trains with `base_training` too, later stages with `training`."""
    first_stage_loss: Literal["simgcd", "paper"] = "simgcd"
    """Loss of stage 0. `simgcd`: all five terms of SimGCD (released code). `paper`: the
    cross-entropy and both contrastive losses; where stage 0 has unlabelled samples,
    `simgcd` is used all the same."""
    supervised_weight: Annotated[float, Field(ge=0.0, le=1.0)] = 0.35
    """Weight of what uses labels, in every stage that has some (lambda_0 of the paper)."""
    first_stage_entropy_weight: Weight = 1.0
    """Weight of the mean-entropy maximisation in stage 0 (released commands: 2 on CUB)."""
    self_training_weight: Weight = 1.0
    """Weight of the self-distillation after stage 0 (released code)."""
    entropy_between_weight: Weight = 1.0
    """Weight of the entropy between seen and new classes (1 in the paper and the released
    commands, though the code's own default is 2)."""
    entropy_seen_weight: Weight = 1.0
    """Weight of the entropy among seen classes (released commands)."""
    entropy_new_weight: Weight = 1.0
    """Weight of the entropy among new classes (released commands)."""
    contrastive_weight: Weight = 1.0
    """Weight of the contrastive loss after stage 0 (released code)."""
    prototype_weight: Weight = 1.0
    """Weight of the cross-entropy of drawn prototypes (1 in the paper)."""
    distillation_weight: Weight = 1.0
    """Weight of the feature distillation (1 in the paper)."""
    distillation: Literal["squared", "cosine"] = "squared"
    """`squared`: squared distance of unit features (released code). `cosine`: 1 - cosine, half of
    it (paper)."""
    initialisation: Literal["clusters", "random"] = "clusters"
    """Rows of novel classes: centres of clusters that old rows explain least (paper), or
    drawn."""
    inits: Annotated[int, Field(ge=1, le=1000)] = 10
    """Starts of k-means; scikit-learn's default before 1.4; the released code leaves it open."""
    hardness_temperature: Temperature = 0.1
    """Temperature of the softmax by which prototypes are drawn (text, released code and best of the
    paper's ablation; its appendix B says 1)."""
    prototype_samples: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    """Prototypes drawn per step; without it, one per view of each image of the batch (released
    code)."""
    teacher_temperature: Temperature = 0.05
    """Temperature of the teacher after stage 0 (released code)."""
    teacher_start: Temperature = 0.07
    """Temperature of the teacher in stage 0, at first (released code)."""
    teacher_end: Temperature = 0.04
    """Temperature of the teacher in stage 0, after its warm-up (released code)."""
    teacher_warmup_epochs: Annotated[int, Field(ge=0, le=100_000)] = 30
    """Epochs over which the teacher's temperature changes in stage 0 (released code)."""
    fresh_projection: bool = True
    """Whether the projection of the contrastive losses starts anew in every stage (released code)
    rather than going on."""
