from __future__ import annotations

from cilsim.streams.class_order import natural_order, seeded_order


def test_natural_order_is_ascending() -> None:
    assert natural_order([7, 2, 5]) == (2, 5, 7)


def test_seed_1993_gives_the_order_of_icarl() -> None:
    first = (68, 56, 78, 8, 23, 84, 90, 65, 74, 76)
    assert seeded_order(range(100), 1993)[:10] == first


def test_seeded_order_shuffles_the_ascending_ids_whatever_order_they_come_in() -> None:
    assert seeded_order([30, 10, 20, 40], 3) == seeded_order([10, 20, 30, 40], 3)


def test_seeded_order_keeps_every_id_once() -> None:
    assert sorted(seeded_order(range(50), 7)) == list(range(50))


def test_another_seed_gives_another_order() -> None:
    assert seeded_order(range(20), 0) != seeded_order(range(20), 1)
