from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from cilsim.errors import CilsimError, RunFolderError
from cilsim.index.database import INDEX_FILE
from cilsim.index.entry import IndexedRun
from cilsim.index.run_index import Refreshed, RunIndex
from cilsim.results.status import StatusFile

Store = Callable[..., Path]


def folders(root: Path, *where: str, sort: str = "folder") -> list[str]:
    """Return the folders of the runs that an index finds, brought up to date."""
    with RunIndex(root) as index:
        index.refresh()
        return [run.folder for run in index.find(where, sort).runs]


def test_a_run_is_indexed_with_all_that_its_folder_says(root: Path, store: Store) -> None:
    folder = store("ring", strategy="mine", seed=3, A_all=0.75, forgetting=0.25)
    status = StatusFile(folder / "status.json").read()
    assert status is not None

    with RunIndex(root) as index:
        index.refresh()
        (run,) = index.find().runs

    assert run == IndexedRun(
        folder="ring/mine/seed-3",
        scenario="ring",
        strategy="mine",
        method="nmc",
        seed=3,
        state="finished",
        experience=1,
        experiences=1,
        stream="class_incremental",
        dataset="ring",
        protocol="B1-Inc1",
        backbone="small",
        hash="c0ffee",
        started=status.started,
        updated=status.updated,
        seconds=2.5,
        bytes_kept=20,
        metrics={"A_all": 0.75, "forgetting": 0.25},
    )


def test_metrics_of_single_experiences_are_left_out(root: Path, store: Store) -> None:
    store("ring", A_all=0.5)  # `accuracy_by_experience/00` is stored beside it

    with RunIndex(root) as index:
        index.refresh()
        (run,) = index.find().runs

    assert run.metrics == {"A_all": 0.5}


def test_a_second_refresh_reads_nothing(root: Path, store: Store) -> None:
    store("a")
    store("b", within="sweep")

    with RunIndex(root) as index:
        assert index.refresh() == Refreshed(read=2, gone=0, all=2)
        assert index.refresh() == Refreshed(read=0, gone=0, all=2)


def test_only_what_has_changed_is_read_again(root: Path, store: Store) -> None:
    store("a", A_all=0.25)
    store("b", A_all=0.25)
    with RunIndex(root) as index:
        index.refresh()

        store("a", A_all=0.75)

        assert index.refresh() == Refreshed(read=1, gone=0, all=2)
        assert [run.metrics["A_all"] for run in index.find(sort="folder").runs] == [0.75, 0.25]


def test_a_run_that_is_removed_is_forgotten(root: Path, store: Store) -> None:
    store("a")
    folder = store("b")
    with RunIndex(root) as index:
        index.refresh()

        folder.rename(root.parent / "elsewhere")

        assert index.refresh() == Refreshed(read=0, gone=1, all=1)
        assert [run.folder for run in index.find().runs] == ["a/nmc/seed-0"]


def test_a_file_that_was_changed_by_hand_shows(root: Path, store: Store) -> None:
    folder = store("a") / "nmc" / "seed-0"
    assert folders(root, "state=finished") == ["a/nmc/seed-0"]

    (folder / "metrics.jsonl").write_text("")
    sums = folder / "SHA256SUMS"
    os.utime(sums, ns=(1, 1))  # whoever damages a disk may do so without a trace; a copy leaves one

    assert folders(root, "state=damaged") == ["a/nmc/seed-0"]


def test_runs_lie_up_to_four_folders_deep(root: Path, store: Store) -> None:
    store("a", within="one/two/three")
    store("b", within="one/two/three/four")
    store("c", within=".hidden")

    assert folders(root) == ["one/two/three/a/nmc/seed-0"]


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ("strategy=nmc", ["a", "b"]),
        ("strategy!=nmc", ["c"]),
        ("scenario=[ab]", ["a", "b"]),
        ("strategy=t*", ["c"]),
        ("strategy!=t*", ["a", "b"]),
        ("A_all>0.5", ["b", "c"]),
        ("A_all>=0.5", ["a", "b", "c"]),
        ("A_all<0.6", ["a"]),
        ("A_all<=0.6", ["a", "b"]),
        ("A_all=0.6", ["b"]),
        ("A_all!=0.6", ["a", "c"]),
        ("A_all>0.5 strategy=nmc", ["b"]),
        ("A_all>0.5 forgetting<0.2", ["c"]),
        ("seed=1", ["c"]),
        ("'dataset=ring' \"strategy=nmc\"", ["a", "b"]),
        ("dataset=digits", []),
    ],
)
def test_runs_are_found_by_conditions(
    where: str, found: list[str], root: Path, store: Store
) -> None:
    store("a", A_all=0.5, forgetting=0.1)
    store("b", A_all=0.6, forgetting=0.3)
    store("c", strategy="teen", seed=1, A_all=0.7, forgetting=0.1)

    assert [folder.partition("/")[0] for folder in folders(root, where)] == found


def test_all_texts_of_conditions_must_hold(root: Path, store: Store) -> None:
    store("a", A_all=0.5)
    store("b", A_all=0.6)

    assert folders(root, "A_all>0.4", "scenario=a") == ["a/nmc/seed-0"]


@pytest.mark.parametrize(
    ("sort", "order"),
    [("A_all", "bca"), ("-A_all", "acb"), ("scenario", "abc"), ("-scenario", "cba")],
)
def test_metrics_sort_from_the_greatest_and_columns_from_the_smallest(
    sort: str, order: str, root: Path, store: Store
) -> None:
    for name, accuracy in (("a", 0.1), ("b", 0.9), ("c", 0.5)):
        store(name, A_all=accuracy)

    assert "".join(folder[0] for folder in folders(root, sort=sort)) == order


def test_runs_without_the_metric_are_left_out_of_a_sort_by_it(root: Path, store: Store) -> None:
    store("a", A_all=0.1)
    store("b", A_all=0.1, nmi=0.4)

    assert folders(root, sort="nmi") == ["b/nmc/seed-0"]


def test_a_limit_leaves_the_total(root: Path, store: Store) -> None:
    for name in "abc":
        store(name)

    with RunIndex(root) as index:
        index.refresh()
        found = index.find(["A_all>0"], sort="scenario", limit=2)

    assert ([run.scenario for run in found.runs], found.total) == (["a", "b"], 3)
    assert found.asked == ("A_all", "scenario")


@pytest.mark.parametrize(
    ("where", "message"),
    [
        ("A_al>0.5", "--where: no run has 'A_al'; did you mean 'A_all'?"),
        (
            "teen",
            "--where: found 'teen', expected conditions such as 'strategy=teen A_all>0.5'",
        ),
        ("strategy='teen", "--where 'strategy='teen': a quote is not closed"),
        (
            "A_all>half",
            "--where: 'A_all>half' compares 'A_all' with 'half', expected a number; "
            "accuracies are fractions",
        ),
    ],
)
def test_a_condition_that_means_nothing_is_refused(
    where: str, message: str, root: Path, store: Store
) -> None:
    store("a")

    with pytest.raises(CilsimError) as caught:
        folders(root, where)

    assert str(caught.value) == message


def test_an_unknown_name_to_sort_by_is_refused(root: Path, store: Store) -> None:
    store("a")

    with pytest.raises(CilsimError) as caught:
        folders(root, sort="-A_lal")

    assert str(caught.value) == "--sort: no run has 'A_lal'; did you mean 'A_all'?"


def test_a_value_is_never_taken_for_sql(root: Path, store: Store) -> None:
    store("a")

    assert folders(root, "strategy=\"x' OR '1'='1\"") == []


def test_a_missing_folder_of_runs_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RunFolderError) as caught:
        RunIndex(tmp_path / "runs")

    assert str(caught.value) == f"{tmp_path}/runs: no such folder; expected one that holds runs"


@pytest.mark.parametrize("damage", [b"nothing of SQLite", b""], ids=["foreign", "empty"])
def test_a_file_that_is_no_index_is_made_anew(damage: bytes, root: Path, store: Store) -> None:
    store("a")
    folders(root)
    (root / INDEX_FILE).write_bytes(damage)

    assert folders(root) == ["a/nmc/seed-0"]


def test_an_index_that_is_damaged_in_the_middle_is_made_anew(
    root: Path, store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    store("a")
    folders(root)
    content = bytearray((root / INDEX_FILE).read_bytes())
    content[1024:] = b"\xff" * (len(content) - 1024)
    (root / INDEX_FILE).write_bytes(content)

    assert folders(root) == ["a/nmc/seed-0"]
    assert folders(root) == ["a/nmc/seed-0"]
    assert caplog.messages == [
        f"{root}/.index.sqlite: database disk image is malformed; the index is made anew"
    ]


def test_an_index_that_turns_bad_after_it_was_opened_is_made_anew(root: Path, store: Store) -> None:
    store("a")
    with RunIndex(root) as index:
        index.refresh()
        with closing(sqlite3.connect(root / INDEX_FILE)) as other:
            other.execute("DROP TABLE metric")
            other.commit()

        assert [run.metrics for run in index.find().runs] == [{"A_all": 0.5}]


def test_an_index_of_another_version_is_made_anew(root: Path, store: Store) -> None:
    store("a")
    folders(root)
    with closing(sqlite3.connect(root / INDEX_FILE)) as other:
        other.execute("PRAGMA user_version = 99")

    assert folders(root) == ["a/nmc/seed-0"]


def test_a_rebuild_reads_everything_again(root: Path, store: Store) -> None:
    store("a")
    store("b")
    with RunIndex(root) as index:
        index.refresh()

        assert index.rebuild() == Refreshed(read=2, gone=0, all=2)


def test_where_no_file_can_be_written_the_index_is_kept_in_memory(
    root: Path, store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    store("a")
    (root / INDEX_FILE).mkdir()  # as good as a folder that is only readable, also for root

    assert folders(root) == ["a/nmc/seed-0"]
    assert caplog.messages == [
        f"{root}/.index.sqlite: unable to open database file; the index is kept in memory"
    ]


def test_an_index_that_another_process_writes_for_too_long_is_told(
    root: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store("a")
    monkeypatch.setattr("cilsim.index.database.WAIT_SECONDS", 0.01)
    with RunIndex(root) as index, closing(sqlite3.connect(root / INDEX_FILE)) as other:
        other.execute("BEGIN EXCLUSIVE")

        with pytest.raises(RunFolderError) as caught:
            index.refresh()

    assert str(caught.value) == (
        f"{root}/.index.sqlite: another process has been writing the index for too long; try again"
    )


def test_a_run_folder_that_cannot_be_read_is_named_and_left_out(
    root: Path, store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    store("a")
    bad = store("b")
    (bad / "status.json").write_text("{")

    assert folders(root) == ["a/nmc/seed-0"]
    assert caplog.messages == [
        f"{bad}/status.json: is damaged: it is not a complete JSON text; "
        "its runs are not in the index"
    ]


REFRESH = """
import sys
from pathlib import Path
from cilsim.index.run_index import RunIndex
with RunIndex(Path(sys.argv[1])) as index:
    index.refresh()
    print(index.find().total)
"""


def test_several_processes_may_refresh_at_once(root: Path, store: Store) -> None:
    for number in range(30):
        store(f"run-{number}")
    command = [sys.executable, "-c", REFRESH, str(root)]

    started = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]

    assert [process.communicate()[0] for process in started] == ["30\n"] * 3
    assert len(folders(root)) == 30
    with closing(sqlite3.connect(root / INDEX_FILE)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("SELECT count(*) FROM run").fetchall() == [(30,)]
