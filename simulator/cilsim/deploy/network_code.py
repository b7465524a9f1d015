"""The operations of a backbone as plain Python text, traced by `torch.export`."""

from __future__ import annotations

import logging
import re
from types import FunctionType, ModuleType
from typing import Any

import torch
from torch import Tensor, nn
from torch.export.graph_signature import InputKind, InputSpec

from cilsim.errors import CilsimError, in_one_line
from cilsim.features.extract import evaluating
from cilsim.training.modes import set_layout

logger = logging.getLogger(__name__)

_HEAD = '''"""The operations of the backbone, traced by torch.export; weights come by name."""

{imports}


def {name}(weights, x):
    """Return (B, D) features of normalised samples (B, ...)."""
'''

_ONE_BY_ONE = '''

def forward(weights, x):
    """Return (N, D) features of normalised samples (N, ...), which pass one by one."""
    return torch.cat([of_one(weights, one) for one in x.split(1)])
'''


def network_code(
    backbone: nn.Module, shape: tuple[int, ...], name: str
) -> tuple[str, dict[str, Tensor]]:
    """Return a module with `forward(weights, x)`, and the weights by name, on the CPU.

    Args:
        backbone: maps normalised samples (B, ...) to features (B, D); put on the CPU.
        shape: of one sample.
        name: of the backbone, for messages.

    Raises:
        CilsimError: `torch.export` cannot trace it.
    """
    backbone = backbone.cpu()
    set_layout([backbone], channels_last=True)
    with evaluating(backbone), torch.inference_mode(False), torch.no_grad():
        try:
            return _text_and_weights(_traced(backbone, shape, 2), "forward")
        except Exception:  # attention, for one, is traced for one number of samples
            logger.debug("backbone '%s' is traced for single samples", name)
        traced = _traced_or_refused(backbone, shape, name)
    text, weights = _text_and_weights(traced, "of_one")
    return text + _ONE_BY_ONE, weights


def _traced_or_refused(backbone: nn.Module, shape: tuple[int, ...], name: str) -> Any:
    try:
        return _traced(backbone, shape, 1)
    except Exception as error:  # whatever a stranger's network meets in the tracer
        raise CilsimError(
            f"backbone '{name}': torch.export cannot trace it: {in_one_line(error)} - "
            "expected a network without control flow that depends on its input"
        ) from error


def _traced(backbone: nn.Module, shape: tuple[int, ...], samples: int) -> Any:
    """Return the exported program for one sample, or for any number of them."""
    x = torch.zeros(samples, *shape)
    if x.ndim == 4:
        x = x.contiguous(memory_format=torch.channels_last)
    sizes = None if samples == 1 else ({0: torch.export.Dim("B")},)
    return torch.export.export(backbone, (x,), dynamic_shapes=sizes)


def _text_and_weights(traced: Any, name: str) -> tuple[str, dict[str, Tensor]]:
    return _source(traced, name), _weights(traced)


def _source(traced: Any, name: str) -> str:
    graph = traced.graph_module.graph
    graph.set_codegen(torch.fx.graph.CodeGen())
    made = graph.python_code("self")
    body = made.src.split(":\n", 1)[1].strip("\n").splitlines()
    head = _HEAD.format(name=name, imports="\n".join(_imports(made.globals, "\n".join(body))))
    named = [line for spec in traced.graph_signature.input_specs for line in _named(spec)]
    return "\n".join([head.rstrip("\n"), *named, *map(_tidied, filter(str.strip, body))]) + "\n"


def _named(spec: InputSpec) -> list[str]:
    argument: Any = spec.arg
    if spec.kind == InputKind.USER_INPUT:
        return [] if argument.name == "x" else [f"    {argument.name} = x"]
    return [f'    {argument.name} = weights["{spec.target}"]']


def _tidied(line: str) -> str:
    """Return a line without the words that free memory early."""
    line = re.sub(r";  (?:\w+ = )+None$", "", line)
    return re.sub(r"return \((.+),\)$", r"return \1", line)


def _imports(names: dict[str, Any], body: str) -> list[str]:
    """Return the imports of what the text uses."""
    lines = ["import torch"]
    for name, thing in sorted(names.items()):
        if name == "torch" or not re.search(rf"\b{name}\b", body):
            continue
        if isinstance(thing, ModuleType):
            lines.append(f"import {thing.__name__} as {name}")
        elif isinstance(thing, FunctionType | type) or callable(thing):
            lines.append(f"from {thing.__module__} import {thing.__name__} as {name}")
        else:
            lines.append(f"{name} = float('{thing}')")  # inf and nan
    return lines


def _weights(traced: Any) -> dict[str, Tensor]:
    """Return parameters, buffers and constants, each with memory of its own."""
    every = {**traced.state_dict, **traced.constants}
    used = {spec.target for spec in traced.graph_signature.input_specs}
    return {
        name: tensor.detach().contiguous().clone() for name, tensor in every.items() if name in used
    }
