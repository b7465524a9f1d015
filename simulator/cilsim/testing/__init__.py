"""The test kit for plugin authors: a toy stream with a known answer, and contract suites.

    from cilsim.testing import StrategyContract

    class TestMine(StrategyContract):
        strategy = "mine"

Needs pytest.
"""

from cilsim.testing.contract import StrategyContract
from cilsim.testing.discovery_contract import DiscoveryContract
from cilsim.testing.domain_contract import DomainContract
from cilsim.testing.patterns import patterns, write_patterns
from cilsim.testing.project import Project, RunFiles
from cilsim.testing.ring import ring, ring_domains, write_ring

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
