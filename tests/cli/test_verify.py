"""`cilsim verify`: every file of a run is compared with its checksum."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

Command = Callable[..., Any]

HINT = "rebuild with: cilsim resume tiny"


def test_a_whole_run(cli: Command, copy: Path) -> None:
    files = sum(path.is_file() and path.name != ".lock" for path in copy.rglob("*"))
    outcome = cli("verify", copy)
    assert (outcome.code, outcome.out, outcome.err) == (0, f"tiny: {files} intact\n", "")


def test_damaged_missing_and_unlisted_files_are_named(cli: Command, copy: Path) -> None:
    files = sum(path.is_file() and path.name != ".lock" for path in copy.rglob("*"))
    matrix = copy / "nmc" / "seed-0" / "accuracy_matrix.csv"
    matrix.write_bytes(matrix.read_bytes().replace(b"0,", b"0;", 1))
    (copy / "report.md").unlink()
    (copy / "far" / "seed-1" / "notes.txt").write_text("mine")

    outcome = cli("verify", copy)

    why = "its checksum does not match the one in SHA256SUMS"
    assert (outcome.code, outcome.err) == (1, "")
    assert outcome.out.splitlines() == [
        "unlisted    far/seed-1/notes.txt",
        f"damaged     nmc/seed-0/accuracy_matrix.csv  {why}",
        "missing     report.md  is missing, though listed in SHA256SUMS",
        f"tiny: {files - 2} intact, 1 damaged, 1 missing, 1 unlisted; {HINT}",
    ]


def test_the_same_as_json(cli: Command, copy: Path) -> None:
    (copy / "status.json").write_text("{}")
    outcome = cli("verify", copy, "--json")
    [document] = outcome.document()
    intact = document.pop("intact")
    assert intact > 50
    assert outcome.code == 1
    assert document == {
        "folder": "tiny",
        "unfinished": 0,
        "damaged": 1,
        "missing": 0,
        "unlisted": 0,
        "files": [
            {
                "file": "status.json",
                "state": "damaged",
                "detail": "its checksum does not match its content",
            }
        ],
    }


def test_what_a_kill_leaves_is_unfinished_not_damaged(cli: Command, copy: Path) -> None:
    (copy / "nmc" / "seed-0" / ".tmp-12ab-metrics.jsonl").write_text("{")
    outcome = cli("verify", copy)
    assert outcome.code == 0
    assert outcome.out.splitlines()[0] == (
        "unfinished  nmc/seed-0/.tmp-12ab-metrics.jsonl  left over from a process that died"
    )
    assert outcome.out.splitlines()[1].endswith(f"intact, 1 unfinished; {HINT}")


def test_a_lost_run_is_missed(cli: Command, copy: Path) -> None:
    shutil.rmtree(copy / "nmc" / "seed-1")
    outcome = cli("verify", copy)
    assert outcome.code == 1
    assert outcome.out.splitlines()[0] == "missing     nmc/seed-1  the run had finished experiences"


def test_damage_of_a_file_that_grows_is_found_by_its_own_checksums(
    cli: Command, copy: Path
) -> None:
    """Before a run is finished no list vouches for its event files and its log as a whole."""
    seed = copy / "nmc" / "seed-0"
    sums = seed / "SHA256SUMS"
    sums.unlink()
    events = max(seed.glob("events.out.tfevents.*"), key=lambda path: path.stat().st_size)
    content = bytearray(events.read_bytes())
    content[40] ^= 1
    events.write_bytes(content)
    (seed / "training_scalars.jsonl").write_text("{}\n")

    lines = cli("verify", copy).out.splitlines()

    name = f"nmc/seed-0/{events.name}"
    assert f"damaged     {name}  a record does not match its checksum" in lines
    assert (
        "damaged     nmc/seed-0/training_scalars.jsonl  "
        "1 of its lines are not what was written" in lines
    )
    assert "missing     nmc/seed-0/SHA256SUMS  nothing in its folder can be checked" in lines


def test_a_folder_that_is_no_run(cli: Command, copy: Path) -> None:
    outcome = cli("verify", "tinny")
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err == "error: tinny: no such run folder; did you mean 'tiny'?\n"
