"""Which of several processes this one is."""

from __future__ import annotations

import pytest

from cilsim.distributed.placement import Placement, placement
from cilsim.errors import CilsimError

GIVEN = {
    "WORLD_SIZE": "4",
    "RANK": "3",
    "LOCAL_RANK": "1",
    "MASTER_ADDR": "10.0.0.1",
    "MASTER_PORT": "29500",
}


def test_the_variables_of_torchrun_say_which_process_this_is():
    assert placement(GIVEN) == Placement(rank=3, count=4, local_rank=1)


@pytest.mark.parametrize("missing", GIVEN)
def test_a_process_is_alone_without_one_of_the_variables(missing: str):
    assert placement({name: text for name, text in GIVEN.items() if name != missing}) is None


def test_a_single_process_of_torchrun_is_alone():
    assert placement({**GIVEN, "WORLD_SIZE": "1", "RANK": "0", "LOCAL_RANK": "0"}) is None


def test_a_variable_that_is_no_number_is_told():
    with pytest.raises(CilsimError) as caught:
        placement({**GIVEN, "RANK": "first"})
    assert str(caught.value) == "environment: RANK=first - expected a number, as torchrun sets it"


def test_a_number_beyond_the_count_is_told():
    with pytest.raises(CilsimError) as caught:
        placement({**GIVEN, "RANK": "4"})
    assert str(caught.value) == (
        "environment: RANK=4, LOCAL_RANK=1, WORLD_SIZE=4 - expected numbers below WORLD_SIZE, as "
        "torchrun sets them"
    )
