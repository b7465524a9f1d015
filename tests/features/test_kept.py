import torch

from cilsim.features.kept import KeptFeatures

BYTES = 4 * 10


def rows(value):
    return torch.full((10, 1), float(value))


def kept(*places, memory=2 * BYTES, disk=2 * BYTES, mapped=False):
    found = KeptFeatures(memory, disk)
    for place in places:
        found.add(("c", place), rows(0), mapped=mapped)
    return found


def known(found):
    return [place for place in "abc" if found.get(("c", place)) is not None]


def test_the_least_recently_used_is_dropped():
    found = kept("a", "b")
    found.get(("c", "a"))
    found.add(("c", "c"), rows(1), mapped=False)
    assert known(found) == ["a", "c"]


def test_memory_and_disk_are_bounded_apart():
    found = kept("a", "b")
    found.add(("c", "c"), rows(1), mapped=True)
    assert known(found) == ["a", "b", "c"]
    assert [found.bytes_kept(mapped=mapped) for mapped in (False, True)] == [2 * BYTES, BYTES]


def test_mapped_features_are_dropped_too():
    assert known(kept("a", "b", "c", mapped=True)) == ["b", "c"]


def test_what_exceeds_the_limit_alone_is_not_kept_and_drops_nothing():
    found = kept("a")
    found.add(("c", "b"), torch.zeros(100, 1), mapped=False)
    assert known(found) == ["a"]


def test_features_that_were_changed_in_place_are_not_known_any_more():
    found = kept("a")
    found.get(("c", "a")).add_(1)
    assert found.get(("c", "a")) is None
    assert found.bytes_kept(mapped=False) == 0


def test_cleared_it_knows_nothing():
    found = kept("a")
    found.clear()
    assert known(found) == []
