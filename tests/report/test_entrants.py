from dataclasses import replace

import pytest

from cilsim.errors import RunFolderError
from cilsim.report.entrants import Group, entrants, known_metrics


def on(result, **changes):
    return replace(result, run=replace(result.run, stream=replace(result.run.stream, **changes)))


def test_each_strategy_of_a_folder_is_an_entrant_with_its_seeds(make_result):
    runs = [make_result("teen", 0), make_result("own", 0), make_result("teen", 1)]
    found = entrants([Group("a", runs, {"own": "nmc"})])
    assert [(one.label, one.name, len(one.results)) for one in found] == [
        ("teen", "teen", 2), ("own", "nmc", 1)
    ]  # fmt: skip


def test_a_label_of_two_folders_gets_its_folder(make_result):
    one, other = [make_result("teen"), make_result("nmc")], [make_result("teen")]
    found = entrants([Group("runs/a", one, {}), Group("runs/b", other, {})])
    assert [entrant.label for entrant in found] == ["runs/a/teen", "nmc", "runs/b/teen"]


def test_all_metrics_after_the_last_experience_are_known(make_result):
    found = entrants([Group("a", [make_result()], {})])
    assert known_metrics(found) == ["A_all", "A_base", "A_hm", "A_novel", "forgetting"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"protocol": "B2-Inc2"}, "protocol: 'B2-Inc2' against '2 + 2x1-way 5-shot'"),
        ({"dataset": "cub200"}, "data set: 'cub200' against 'ring'"),
        ({"digest": "f" * 64}, "class order and split: 'ffffffffffff' against '0123456789abcdef'"),
        ({"kind": "mixed"}, "kind: 'mixed' against 'few_shot_class_incremental'"),
    ],
    ids=str,
)
def test_runs_on_another_stream_are_refused_with_what_differs(make_result, changes, said):
    other = [on(make_result("nmc"), **changes)]
    with pytest.raises(RunFolderError) as caught:
        entrants([Group("a", [make_result()], {}), Group("b", other, {})])
    assert str(caught.value) == (
        f"b: cannot be compared with a: {said}; only runs on the same stream can"
    )


def test_other_samples_under_the_same_name_are_refused(make_result):
    groups = [Group("a", [make_result()], {}, "1" * 64), Group("b", [make_result()], {}, "2" * 64)]
    with pytest.raises(RunFolderError) as caught:
        entrants(groups)
    assert str(caught.value) == (
        "b: cannot be compared with a: data: '222222222222' against '111111111111'; only runs on "
        "the same stream can"
    )


def test_class_orders_may_differ_between_seeds(make_result):
    runs = [make_result(seed=0), on(make_result(seed=1), digest="other")]
    (found,) = entrants([Group("a", runs, {})])
    assert len(found.results) == 2


def test_another_protocol_on_another_seed_is_refused_too(make_result):
    other = [on(make_result("nmc", seed=5), protocol="B2-Inc2")]
    with pytest.raises(RunFolderError, match=r"^b: cannot be compared with a: protocol"):
        entrants([Group("a", [make_result()], {}), Group("b", other, {})])
