"""Coverage-guided fuzzing of the scenario loader; needs atheris, which nothing else here does.

    pip install atheris
    python tests/fuzz/scenario_target.py -max_total_time=300 -max_len=4096 CORPUS

CORPUS is a folder of texts to start from, such as a copy of scenarios/; atheris adds to it. Run in
an empty folder. A finding ends it with the input written beside: make that a regression test.
"""

from __future__ import annotations

import sys

import atheris

with atheris.instrument_imports(include=["cilsim.scenario", "yaml"]):
    from hostile_scenarios import scenario_or_refusal

    from cilsim.plugins import discover

REGISTRIES = discover().registries


def one_input(content: bytes) -> None:
    """Load a text, and overrides if a NUL, which YAML cannot hold, sets them off."""
    text, *overrides = content.decode("utf-8", "surrogateescape").split("\x00")
    scenario_or_refusal(text, REGISTRIES, overrides)


if __name__ == "__main__":
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
