"""NAPA-VQ, neighbourhood-aware prototype augmentation (Malepathirana et al., ICCV 2023)."""

from cilsim import hookimpl
from cilsim.registry import Register

cilsim_api = 1


@hookimpl
def cilsim_register_strategies(register: Register) -> None:
    """Register `napa_vq`."""
    register(
        "napa_vq",
        "cilsim_napa_vq.strategy:NapaVq",
        options="cilsim_napa_vq.options:NapaVqOptions",
        summary="a code vector per class and rotation, with a neighbourhood graph over them",
        aliases=("napa",),
    )
