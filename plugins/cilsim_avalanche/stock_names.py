"""The strategies and plugins of avalanche-lib 0.6 by name, without importing it.

Importing avalanche takes seconds; a scenario is checked without. A test compares all of this with
what avalanche has.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Arguments:
    """Keyword arguments of a class that a scenario may set.

    Attributes:
        required: those without a default.
        optional: the others.
    """

    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """All of them."""
        return (*self.required, *self.optional)


def _of(required: str = "", optional: str = "") -> Arguments:
    return Arguments(tuple(required.split()), tuple(optional.split()))


STOCK: Mapping[str, Arguments] = {
    "AGEM": _of("patterns_per_exp", "sample_size"),
    "CWRStar": _of("", "cwr_layer_name"),
    "CoPE": _of("", "mem_size n_classes p_size alpha T"),
    "Cumulative": _of(),
    "DER": _of("", "mem_size batch_size_mem alpha beta"),
    "ER_ACE": _of("", "mem_size batch_size_mem"),
    "ER_AML": _of("", "temp base_temp same_task_neg mem_size batch_size_mem"),
    "EWC": _of("ewc_lambda", "mode decay_factor keep_importance_data"),
    "FeatureReplay": _of("", "mem_size batch_size_mem"),
    "FromScratchTraining": _of("", "reset_optimizer"),
    "GDumb": _of("", "mem_size"),
    "GSS_greedy": _of("", "mem_size mem_strength"),
    "GenerativeReplay": _of(
        "",
        "replay_size increasing_replay_size is_weighted_replay weight_replay_loss_factor "
        "weight_replay_loss",
    ),
    "ICaRL": _of("memory_size fixed_memory"),
    "LFL": _of("lambda_e"),
    "LwF": _of("alpha temperature"),
    "MAS": _of("", "lambda_reg alpha verbose"),
    "MER": _of("", "mem_size batch_size_mem n_inner_steps beta gamma"),
    "MIR": _of("mem_size subsample", "batch_size_mem"),
    "Naive": _of(),
    "Replay": _of("", "mem_size"),
    "SCR": _of("", "mem_size temperature batch_size_mem"),
    "StreamingLDA": _of("", "shrinkage_param streaming_update_sigma"),
    "SynapticIntelligence": _of("si_lambda", "eps"),
}
"""Strategies that run here."""

ALIASES: Mapping[str, str] = {
    "iCaRL": "ICaRL",
    "SLDA": "StreamingLDA",
    "SI": "SynapticIntelligence",
    "GSS": "GSS_greedy",
    "CWR*": "CWRStar",
}
"""What the field calls them."""

UNFIT: Mapping[str, str] = {
    "AETraining": "it trains an autoencoder, not a classifier",
    "AR1": "it brings a pretrained network of its own, which it downloads",
    "BiC": "it calls MultiStepLR(verbose=...), which torch no longer has",
    "ExpertGateStrategy": "it brings a pretrained network of its own, which it downloads",
    "GEM": "it needs the package quadprog",
    "JointTraining": "it needs the whole stream at once; use strategy 'joint'",
    "LearningToPrompt": "it brings a network of timm of its own",
    "PNNStrategy": "it chooses a column of a network of its own by the task label",
    "PackNet": "it chooses weights by the task label at test time",
    "VAETraining": "it trains an autoencoder, not a classifier",
}
"""Strategies that cannot run here, and why."""

PLUGINS: Mapping[str, Arguments] = {
    "AGEMPlugin": _of("patterns_per_experience sample_size"),
    "CWRStarPlugin": _of("", "cwr_layer_name freeze_remaining_model"),
    "CoPEPlugin": _of("", "mem_size n_classes p_size alpha T max_it_cnt"),
    "CurrentDataFeCAMUpdate": _of(),
    "CurrentDataNCMUpdate": _of(),
    "EWCPlugin": _of("ewc_lambda", "mode decay_factor keep_importance_data"),
    "FeatureDistillationPlugin": _of("", "alpha mode"),
    "FromScratchTrainingPlugin": _of("", "reset_optimizer"),
    "GDumbPlugin": _of("", "mem_size"),
    "GSS_greedyPlugin": _of("", "mem_size mem_strength input_size"),
    "LFLPlugin": _of("lambda_e"),
    "LwFPlugin": _of("", "alpha temperature"),
    "MASPlugin": _of("", "lambda_reg alpha verbose"),
    "MIRPlugin": _of("batch_size_mem", "mem_size subsample"),
    "MemoryFeCAMUpdate": _of("", "mem_size"),
    "MemoryNCMUpdate": _of("", "mem_size"),
    "RARPlugin": _of(
        "batch_size_mem",
        "mem_size opt_lr name_ext_layer use_adversarial_replay beta_coef decay_factor_fgsm "
        "epsilon_fgsm iter_fgsm",
    ),
    "RWalkPlugin": _of("", "ewc_lambda ewc_alpha delta_t"),
    "ReplayPlugin": _of("", "mem_size batch_size batch_size_mem task_balanced_dataloader"),
    "SynapticIntelligencePlugin": _of("si_lambda", "eps excluded_parameters"),
}
"""Plugins whose arguments can be written in a scenario."""
