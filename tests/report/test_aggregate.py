import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from cilsim.report.aggregate import write_aggregates


def scalars(folder) -> dict[str, list]:
    events = EventAccumulator(str(folder), size_guidance={"scalars": 0}).Reload()
    return {tag: [(e.step, e.value) for e in events.Scalars(tag)]
            for tag in events.Tags()["scalars"]}  # fmt: skip


def test_each_metric_is_written_with_its_band(make_result):
    (folder,) = write_aggregates([make_result(seed=0), make_result(seed=1, shift=0.02)])
    found = scalars(folder)
    assert sorted(found) == sorted(
        f"mean/{metric}/{edge}"
        for metric in ("A_all", "A_base", "A_novel", "A_hm", "forgetting")
        for edge in ("value", "lower", "upper")
    )
    assert found["mean/A_novel/value"] == [(1, pytest.approx(0.71)), (2, pytest.approx(0.635))]
    assert found["mean/A_novel/lower"] == [
        (1, pytest.approx(0.71 - 0.12706, abs=1e-4)),
        (2, pytest.approx(0.635 - 0.12706, abs=1e-4)),
    ]


def test_the_folder_lies_beside_the_seeds(make_result):
    results = [make_result(seed=0), make_result(seed=1)]
    (folder,) = write_aggregates(results)
    assert folder == results[0].run.folder.parent / "mean"


def test_a_strategy_with_one_seed_has_no_aggregate(make_result):
    results = [make_result("nmc"), make_result("teen", 0), make_result("teen", 1)]
    assert [folder.parent.name for folder in write_aggregates(results)] == ["teen"]


def test_writing_again_replaces(make_result):
    write_aggregates([make_result(seed=0), make_result(seed=1, shift=0.1)])
    (folder,) = write_aggregates([make_result(seed=0), make_result(seed=1)])
    assert scalars(folder)["mean/A_novel/value"] == [
        (1, pytest.approx(0.7)), (2, pytest.approx(0.625))
    ]  # fmt: skip
