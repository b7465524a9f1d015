"""The test kit for plugin authors: a toy stream with a known answer, and a contract suite.

    from cilsim.testing import StrategyContract

    class TestMine(StrategyContract):
        strategy = "mine"

Needs pytest.
"""

from cilsim.testing.contract import StrategyContract
from cilsim.testing.project import Project, RunFiles
from cilsim.testing.ring import ring, write_ring

__all__ = ["Project", "RunFiles", "StrategyContract", "ring", "write_ring"]
