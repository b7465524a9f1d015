from __future__ import annotations
from cilsim.testing import StrategyContract


class TestNapaVqOnFeatures(StrategyContract):
    strategy = "napa_vq"
    options = {"rotations": 1}
