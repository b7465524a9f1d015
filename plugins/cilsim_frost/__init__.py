"""FRoST: novel classes are discovered without labels, and old ones replayed from their statistics.

Roy, Liu, Zhong, Sebe, Ricci: Class-incremental Novel Class Discovery, ECCV 2022.
"""

from cilsim import hookimpl
from cilsim.registry import Register

cilsim_api = 1


@hookimpl
def cilsim_register_strategies(register: Register) -> None:
    """Register `frost`."""
    register(
        "frost",
        "cilsim_frost.strategy:Frost",
        options="cilsim_frost.options:FrostOptions",
        summary="a head per stage finds clusters and teaches the joint head (Roy et al. 2022)",
        serves=("novel_class_discovery", "continual_category_discovery", "mixed"),
    )
