"""What the tensors of a file of weights are called here.

Names in a file may begin with the object that was trained, classifiers may lie beside the backbone,
and other libraries name the same layers differently: the names of torchvision's vision transformer
are translated to timm's. From a state that cilsim stored, only the backbone is taken.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from torch import Tensor

from cilsim.errors import CheckpointError

PREFIXES = frozenset({"module", "backbone", "encoder", "model", "net"})
"""First parts of names that only say what the network was part of."""

CLASSIFIERS = frozenset({"fc", "head", "heads", "classifier", "linear", "pre_logits"})
"""First parts of the names of what is trained on top of features."""

STORED_HERE = re.compile(r"\['backbone'\]\['(.+)'\]$")
"""How a backbone is named in the checkpoints and the cache of cilsim."""

TRANSLATIONS = tuple(
    (re.compile(pattern), name)
    for pattern, name in (
        (r"^conv_proj\.", "patch_embed.proj."),
        (r"^class_token$", "cls_token"),
        (r"^pos_embedding$", "pos_embed"),
        (r"^ln\.", "norm."),
        (r"^layers\.encoder_layer_(\d+)\.", r"blocks.\1."),
        (r"^(blocks\.\d+)\.ln_([12])\.", r"\1.norm\2."),
        (r"^(blocks\.\d+)\.self_attention\.in_proj_", r"\1.attn.qkv."),
        (r"^(blocks\.\d+)\.self_attention\.out_proj\.", r"\1.attn.proj."),
        (r"^(blocks\.\d+)\.mlp\.(?:linear_1|0)\.", r"\1.mlp.fc1."),
        (r"^(blocks\.\d+)\.mlp\.(?:linear_2|3)\.", r"\1.mlp.fc2."),
    )
)
"""From torchvision's names to timm's; query, key and value lie one after another in both."""


def renamed(tensors: Mapping[str, Tensor], where: str) -> dict[str, Tensor]:
    """Return the tensors of a backbone under the names used here, without classifiers.

    Raises:
        CheckpointError: two tensors would have one name; the message begins with `where`.
    """
    stored_here = {
        found[1]: one for key, one in tensors.items() if (found := STORED_HERE.search(key))
    }
    result: dict[str, Tensor] = {}
    for key, tensor in (stored_here or tensors).items():
        name = _translated(_without_prefixes(key))
        if name.partition(".")[0] in CLASSIFIERS:
            continue
        if name in result:
            raise CheckpointError(
                f"{where} have several networks inside: two tensors are '{name}' without prefix; "
                "save one of the networks by itself"
            )
        result[name] = tensor
    return result


def _without_prefixes(name: str) -> str:
    first, _, rest = name.partition(".")
    return _without_prefixes(rest) if first in PREFIXES and rest else name


def _translated(name: str) -> str:
    for pattern, replacement in TRANSLATIONS:
        name = pattern.sub(replacement, name)
    return name
