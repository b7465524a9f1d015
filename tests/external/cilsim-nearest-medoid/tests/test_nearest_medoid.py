from cilsim.plugins import discover
from cilsim.testing import StrategyContract


class TestNearestMedoid(StrategyContract):
    strategy = "nearest_medoid"
    options = {"distance": "manhattan"}

    def test_forgets_nothing_on_the_ring_itself(self, project):
        matrix = self.run(project, backbone="identity").accuracy_matrix()
        assert matrix[-1].min() > 0.95


def test_the_plugin_is_found():
    plugins = discover()
    assert plugins.explain_broken() == ()
    entry = plugins.registries.strategies["nearest_medoid"]
    assert entry.owner.distribution == "cilsim-nearest-medoid"
