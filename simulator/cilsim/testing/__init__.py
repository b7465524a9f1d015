"""The test kit for plugin authors: a toy stream with a known answer, and contract suites.

    from cilsim.testing import StrategyContract

    class TestMine(StrategyContract):
        strategy = "mine"

Needs pytest.
"""

from cilsim.testing.contract import StrategyContract
from cilsim.testing.discovery_contract import DiscoveryContract
from cilsim.testing.patterns import patterns, write_patterns
from cilsim.testing.project import Project, RunFiles
from cilsim.testing.ring import ring, write_ring

__all__ = [
    "DiscoveryContract",
    "Project",
    "RunFiles",
    "StrategyContract",
    "patterns",
    "ring",
    "write_patterns",
    "write_ring",
]
