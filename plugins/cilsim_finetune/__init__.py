"""Fine-tuning: the lower bound that shows what catastrophic forgetting is."""

from cilsim import hookimpl
from cilsim.registry import Register

cilsim_api = 1


@hookimpl
def cilsim_register_strategies(register: Register) -> None:
    """Register `finetune`."""
    register(
        "finetune",
        "cilsim_finetune.strategy:Finetune",
        summary="trains on each experience as it comes: the lower bound",
        aliases=("naive",),
        repeated_classes=True,
    )
