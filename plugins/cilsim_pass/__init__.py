"""PASS, prototype augmentation and self-supervision (Zhu et al., CVPR 2021)."""

from cilsim import hookimpl
from cilsim.registry import Register

cilsim_api = 1


@hookimpl
def cilsim_register_strategies(register: Register) -> None:
    """Register `pass`."""
    register(
        "pass",
        "cilsim_pass.strategy:Pass",
        options="cilsim_pass.options:PassOptions",
        summary="noisy prototypes of old classes, feature distillation, rotations as classes",
    )
