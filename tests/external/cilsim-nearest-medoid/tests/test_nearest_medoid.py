from cilsim.plugins import discover
from cilsim.testing import StrategyContract


class TestNearestMedoid(StrategyContract):
    strategy = "nearest_medoid"


class TestManhattanOnTheRingItself(StrategyContract):
    strategy = "nearest_medoid"
    options = {"distance": "manhattan"}
    changes = {"backbone": "identity"}

    def test_forgets_nothing(self, project):
        assert self.run(project).accuracy_matrix()[-1].min() > 0.95


def test_the_plugin_is_found():
    plugins = discover()
    assert plugins.explain_broken() == ()
    entry = plugins.registries.strategies["nearest_medoid"]
    assert entry.owner.distribution == "cilsim-nearest-medoid"
