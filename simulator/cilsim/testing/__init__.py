"""The test kit for plugin authors: a toy stream with a known answer, and contract suites.

    from cilsim.testing import StrategyContract

    class TestMine(StrategyContract):
        strategy = "mine"

The contract suites need pytest; `cilsim plugin check` uses this package without it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from cilsim.testing.patterns import patterns, write_patterns
from cilsim.testing.project import Project, RunFiles
from cilsim.testing.ring import ring, ring_domains, write_ring

if TYPE_CHECKING:
    from cilsim.testing.contract import StrategyContract
    from cilsim.testing.discovery_contract import DiscoveryContract
    from cilsim.testing.domain_contract import DomainContract

__all__ = [
    "DiscoveryContract",
    "DomainContract",
    "Project",
    "RunFiles",
    "StrategyContract",
    "patterns",
    "ring",
    "ring_domains",
    "write_patterns",
    "write_ring",
]

_LATE = {
    "DiscoveryContract": "cilsim.testing.discovery_contract",
    "DomainContract": "cilsim.testing.domain_contract",
    "StrategyContract": "cilsim.testing.contract",
}
"""What needs pytest, and the modules that it is imported from when first asked for."""


def __getattr__(name: str) -> Any:
    if name in _LATE:
        return getattr(import_module(_LATE[name]), name)
    raise AttributeError(f"module 'cilsim.testing' has no attribute '{name}'")
