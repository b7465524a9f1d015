"""What a first look takes, and how it is described."""

from __future__ import annotations

import pytest

from cilsim.advice.first_look import first_look, looked_at, untrained
from cilsim.advice.ladder import Rung, Wishes
from cilsim.advice.proposal import propose
from cilsim.advice.survey import Survey
from cilsim.cli.advice_scenarios import AdviceScenarios
from cilsim.plugins import discover
from cilsim.scenario.schema import Scenario

COUNTS = (tuple(range(10)), tuple("abcdefghij"), (50,) * 10, (9,) * 10)
IMAGES = Survey(*COUNTS, features=False, side=16)
VECTORS = Survey(*COUNTS, features=True, side=0)


def look(found: Survey, backbone: str | None = None) -> Scenario | None:
    wishes = Wishes("mine", {"name": "digits"}, (3, 4), backbone)
    return AdviceScenarios(found, propose(found), wishes, discover(), ["nmc", "icarl"]).first_look()


def test_only_strategies_on_features_are_looked_at() -> None:
    tried = [Rung("features", ("nmc", "teen")), Rung("trained", ("icarl", "mine"))]
    assert first_look(tried) == Rung("first-look", ("nmc", "teen"))


def test_where_all_strategies_train_there_is_no_first_look() -> None:
    assert first_look([Rung("trained", ("icarl",))]) is None


def test_a_network_for_images_stays_as_it_is_drawn() -> None:
    given = {"name": "mine", "backbone": "small", "seeds": [3, 4]}
    frozen = {"name": "small", "frozen": True}
    assert untrained(given, IMAGES) == {"name": "mine", "backbone": frozen, "seeds": [3]}
    assert looked_at(IMAGES) == "a network that is not trained"


def test_vectors_are_taken_as_they_are() -> None:
    given = {"name": "mine", "backbone": "mlp", "seeds": [3, 4]}
    assert untrained(given, VECTORS) == {"name": "mine", "backbone": "identity", "seeds": [3]}
    assert looked_at(VECTORS) == "vectors as they are"


def test_a_first_look_is_a_run_of_its_own_for_one_seed() -> None:
    scenario = look(IMAGES)
    assert scenario is not None
    assert scenario.name.startswith("mine-first-look-")
    assert [choice.name for choice in scenario.strategies] == ["nmc"]
    assert scenario.seeds == (3,)


@pytest.mark.parametrize(
    ("found", "backbone"),
    [(VECTORS, "identity"), (IMAGES, "identity")],
    ids=["vectors", "no option frozen"],
)
def test_there_is_no_first_look_where_it_would_be_the_ladder_again(
    found: Survey, backbone: str
) -> None:
    assert look(found, backbone) is None
