from __future__ import annotations

import logging
import os
import socket
from pathlib import Path

import pytest

from cilsim.errors import CheckpointError, RunFolderError
from cilsim.results.run_folder import RunFolder
from cilsim.results.sealed_folder import SealedFolder

SCENARIO = "name: ring  # a comment\n"
RESOLVED = "name: ring\nhash: abc\n"


def open_ring(root, **changes):
    arguments = {
        "scenario_name": "ring",
        "scenario_text": SCENARIO,
        "resolved_text": RESOLVED,
        "scenario_hash": "abc",
        "difference": lambda before, now: ["stream.way: 5 before, 10 now"],
    }
    return RunFolder.open_or_create(root, **{**arguments, **changes})


def begin_run(root):
    """Leave a folder in which a run has begun."""
    with open_ring(root) as folder:
        folder.seed_folder("nmc", 0).path.mkdir(parents=True)


def refusal(function, *arguments, **options):
    with pytest.raises(RunFolderError) as caught:
        function(*arguments, **options)
    return str(caught.value)


def test_a_new_folder_holds_both_texts_a_status_and_the_lock(tmp_path):
    with open_ring(tmp_path / "runs") as folder:
        assert folder.path == tmp_path / "runs" / "ring"
        assert sorted(path.name for path in folder.path.iterdir()) == [
            ".lock",
            "SHA256SUMS",
            "resolved.yaml",
            "scenario.yaml",
            "status.json",
        ]
        assert folder.scenario_text == SCENARIO
        assert folder.resolved_text == RESOLVED
        assert folder.status.read().state == "running"


def test_the_hash_is_added_to_a_text_without_one(tmp_path):
    with open_ring(tmp_path, resolved_text="name: ring") as folder:
        assert folder.resolved_text == "name: ring\nhash: abc\n"
    with open_ring(tmp_path, resolved_text="name: ring") as folder:
        assert folder.resolved_text == "name: ring\nhash: abc\n"


def test_a_quoted_hash_is_understood(tmp_path):
    for _ in range(2):
        with open_ring(tmp_path, resolved_text="hash: 'abc'\nname: ring\n") as folder:
            assert folder.resolved_text == "hash: 'abc'\nname: ring\n"


def test_the_same_hash_resumes_and_keeps_the_first_scenario_text(tmp_path):
    begin_run(tmp_path)
    with open_ring(tmp_path, scenario_text="name: ring\n") as folder:
        assert folder.scenario_text == SCENARIO


def test_the_resume_command_quotes_the_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with open_ring(Path("my runs")) as folder:
        assert folder.status.read().resume == "cilsim resume 'my runs/ring'"


def test_another_hash_is_refused_with_the_differences_and_what_helps(tmp_path):
    begin_run(tmp_path)
    message = refusal(open_ring, tmp_path, resolved_text="hash: xyz\n", scenario_hash="xyz")
    assert message == (
        f"{tmp_path}/ring: holds runs of another version of this scenario, which differs in\n"
        f"  stream.way: 5 before, 10 now\n"
        f"give the scenario another name, choose another place with --out, or remove "
        f"{tmp_path}/ring"
    )


def test_the_difference_is_asked_for_with_the_stored_and_the_new_text(tmp_path):
    begin_run(tmp_path)
    asked = []
    with pytest.raises(RunFolderError):
        open_ring(
            tmp_path,
            resolved_text="hash: xyz\n",
            scenario_hash="xyz",
            difference=lambda *texts: [str(asked.append(texts))],
        )
    assert asked == [(RESOLVED, "hash: xyz\n")]


def test_a_folder_in_which_nothing_has_begun_takes_another_version(tmp_path):
    open_ring(tmp_path).close()
    with open_ring(tmp_path, resolved_text="hash: xyz\n", scenario_hash="xyz") as folder:
        assert folder.resolved_text == "hash: xyz\n"


def test_at_most_ten_differences_are_shown(tmp_path):
    begin_run(tmp_path)
    message = refusal(
        open_ring,
        tmp_path,
        resolved_text="hash: xyz\n",
        scenario_hash="xyz",
        difference=lambda before, now: [f"key{i}" for i in range(13)],
    )
    assert message.splitlines()[1:-1] == [*(f"  key{i}" for i in range(10)), "  and 3 more"]


def test_a_refused_folder_is_not_left_locked(tmp_path):
    begin_run(tmp_path)
    with pytest.raises(RunFolderError):
        open_ring(tmp_path, resolved_text="hash: xyz\n", scenario_hash="xyz")
    open_ring(tmp_path).close()


def test_a_foreign_folder_is_refused_and_left_alone(tmp_path):
    (tmp_path / "ring").mkdir()
    (tmp_path / "ring" / "thesis.tex").touch()
    assert refusal(open_ring, tmp_path) == (
        f"{tmp_path}/ring: is not empty and no run folder, it has no resolved.yaml; "
        f"choose another name, or another place with --out"
    )
    assert [path.name for path in (tmp_path / "ring").iterdir()] == ["thesis.tex"]


def test_what_a_kill_right_after_the_start_leaves_is_no_foreign_folder(tmp_path):
    (tmp_path / "ring").mkdir()
    for name in (".lock", ".tmp-1234-resolved.yaml"):
        (tmp_path / "ring" / name).touch()
    with open_ring(tmp_path) as folder:
        assert not (folder.path / ".tmp-1234-resolved.yaml").exists()


def test_a_missing_scenario_file_is_written_again(tmp_path):
    open_ring(tmp_path).close()
    (tmp_path / "ring" / "scenario.yaml").unlink()
    with open_ring(tmp_path) as folder:
        assert folder.scenario_text == SCENARIO


def test_a_resume_removes_what_a_kill_left_behind(tmp_path):
    open_ring(tmp_path).close()
    stale = tmp_path / "ring" / "teen" / "seed-0" / ".tmp-1234-metrics.jsonl"
    stale.parent.mkdir(parents=True)
    stale.touch()
    open_ring(tmp_path).close()
    assert not stale.exists()


def test_a_place_below_a_file_cannot_be_written(tmp_path):
    (tmp_path / "runs").touch()
    assert refusal(open_ring, tmp_path / "runs") == (
        f"{tmp_path}/runs/ring: cannot be written: Not a directory; choose another place with --out"
    )


def test_a_read_only_place_cannot_be_written(tmp_path, monkeypatch):
    def refuse(*arguments, **options):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "mkdir", refuse)
    assert refusal(open_ring, tmp_path) == (
        f"{tmp_path}/ring: cannot be written: Permission denied; choose another place with --out"
    )


def test_a_folder_in_use_is_refused(tmp_path):
    with open_ring(tmp_path):
        assert refusal(open_ring, tmp_path) == (
            f"{tmp_path}/ring is in use by another process "
            f"(pid {os.getpid()} on {socket.gethostname()})"
        )


def test_a_killed_run_can_be_resumed_at_once(tmp_path, start_python):
    script = """
import sys
from pathlib import Path
from cilsim.results.run_folder import RunFolder
from cilsim.results.sealed_folder import SealedFolder
root = Path(sys.argv[1])
folder = RunFolder.open_or_create(root, "ring", "name: ring", "hash: abc", "abc", print)
print("open", flush=True)
sys.stdin.readline()
"""
    other = start_python(script, tmp_path)
    assert other.stdout.readline() == "open\n"
    assert refusal(open_ring, tmp_path) == (
        f"{tmp_path}/ring is in use by another process (pid {other.pid} on {socket.gethostname()})"
    )
    other.kill()
    other.wait()
    with open_ring(tmp_path) as folder:
        assert folder.status.read().state == "running"


@pytest.mark.parametrize("name", ["", ".", "..", ".hidden", "a/b", "a\\b", "a\nb"])
def test_a_name_that_is_no_folder_name_is_refused(tmp_path, name):
    helps = "it must not be empty, begin with '.' or contain '/' or '\\'"
    assert refusal(open_ring, tmp_path, scenario_name=name) == (
        f"scenario name '{name}' cannot name a folder; {helps}"
    )
    assert refusal(RunFolder(tmp_path).seed_folder, name, 0) == (
        f"strategy label '{name}' cannot name a folder; {helps}"
    )


def test_seed_folders_lie_below_their_strategy(tmp_path):
    folder = RunFolder(tmp_path).seed_folder("teen", 3)
    assert folder.path == tmp_path / "teen" / "seed-3"
    assert (folder.strategy, folder.seed) == ("teen", 3)
    assert not folder.path.exists()


def test_seed_folders_are_listed_by_strategy_and_number(tmp_path):
    for name in (
        "teen/seed-10",
        "teen/seed-2",
        "nmc/seed-0",
        "teen/mean",
        "teen/seed-x",
        ".a/seed-1",
    ):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "teen" / "seed-7").touch()
    found = [(folder.strategy, folder.seed) for folder in RunFolder(tmp_path).list_seed_folders()]
    assert found == [("nmc", 0), ("teen", 2), ("teen", 10)]


@pytest.mark.parametrize("inside", [".", "teen", "teen/seed-0", "teen/seed-0/checkpoints"])
def test_an_existing_run_is_found_from_any_folder_inside(tmp_path, inside):
    open_ring(tmp_path).close()
    (tmp_path / "ring" / inside).mkdir(parents=True, exist_ok=True)
    assert RunFolder.open_existing(tmp_path / "ring" / inside).path == tmp_path / "ring"


def test_an_existing_run_is_found_from_the_current_folder(tmp_path, monkeypatch):
    open_ring(tmp_path).close()
    (tmp_path / "ring" / "teen").mkdir()
    monkeypatch.chdir(tmp_path / "ring" / "teen")
    assert RunFolder.open_existing(Path()).path.resolve() == tmp_path / "ring"


def test_reading_needs_no_lock(tmp_path):
    with open_ring(tmp_path):
        assert RunFolder.open_existing(tmp_path / "ring").resolved_text == RESOLVED


def test_a_run_that_does_not_exist_brings_the_nearest_name(tmp_path):
    open_ring(tmp_path).close()
    assert refusal(RunFolder.open_existing, tmp_path / "rings") == (
        f"{tmp_path}/rings: no such run folder; did you mean 'ring'?"
    )


def test_a_run_without_a_near_name_brings_all_runs_beside_it(tmp_path):
    open_ring(tmp_path).close()
    open_ring(tmp_path, scenario_name="glyphs").close()
    assert refusal(RunFolder.open_existing, tmp_path / "xyz") == (
        f"{tmp_path}/xyz: no such run folder; known: glyphs, ring"
    )


def test_the_folder_of_all_runs_is_no_run_folder(tmp_path):
    open_ring(tmp_path).close()
    assert refusal(RunFolder.open_existing, tmp_path) == (
        f"{tmp_path}: is no run folder, it has no resolved.yaml; runs in it: ring"
    )


def test_an_empty_folder_is_no_run_folder(tmp_path):
    assert refusal(RunFolder.open_existing, tmp_path) == (
        f"{tmp_path}: is no run folder, it has no resolved.yaml"
    )


def test_a_missing_text_is_named(tmp_path):
    assert refusal(lambda: RunFolder(tmp_path).scenario_text) == (
        f"{tmp_path}/scenario.yaml: is missing in the run folder"
    )


def test_a_text_that_is_no_text_is_named(tmp_path):
    SealedFolder(tmp_path).write("scenario.yaml", b"\xff")
    with pytest.raises(CheckpointError) as caught:
        _ = RunFolder(tmp_path).scenario_text
    assert str(caught.value) == f"{tmp_path}/scenario.yaml: is damaged: it is not UTF-8 text"


@pytest.mark.parametrize("harm", ["flipped", "removed"])
def test_a_lost_resolved_text_is_written_again_if_it_was_the_same(tmp_path, caplog, harm):
    begin_run(tmp_path)
    path = tmp_path / "ring" / "resolved.yaml"
    _harm(path, harm)
    with caplog.at_level(logging.WARNING), open_ring(tmp_path) as folder:
        assert folder.resolved_text == RESOLVED
    assert caplog.messages == [f"{path}: {LOST[harm]}; it is written again"]


@pytest.mark.parametrize("harm", ["flipped", "removed"])
def test_a_lost_resolved_text_that_was_another_is_refused(tmp_path, harm):
    begin_run(tmp_path)
    path = tmp_path / "ring" / "resolved.yaml"
    _harm(path, harm)
    assert refusal(open_ring, tmp_path, resolved_text="name: ring\nway: 5\nhash: abc\n") == (
        f"{path}: {LOST[harm]}; the scenario that was given does not give it back; run the one "
        f"that the folder was made with, choose another place with --out, or remove {path.parent}"
    )


@pytest.mark.parametrize("harm", ["flipped", "removed"])
def test_the_given_scenario_takes_the_place_of_a_lost_one(tmp_path, caplog, harm):
    begin_run(tmp_path)
    path = tmp_path / "ring" / "scenario.yaml"
    _harm(path, harm)
    with (
        caplog.at_level(logging.WARNING),
        open_ring(tmp_path, scenario_text="name: ring\n") as folder,
    ):
        assert folder.scenario_text == "name: ring\n"
    assert caplog.messages == [f"{path}: {LOST[harm]}; the scenario that was given takes its place"]


def test_without_its_list_a_folder_takes_the_same_scenario(tmp_path):
    begin_run(tmp_path)
    (tmp_path / "ring" / "SHA256SUMS").unlink()
    with open_ring(tmp_path) as folder:
        assert (folder.resolved_text, folder.scenario_text) == (RESOLVED, SCENARIO)


LOST = {
    "flipped": "is damaged: its checksum does not match the one in SHA256SUMS",
    "removed": "is missing, though listed in SHA256SUMS",
}


def _harm(path, harm):
    if harm == "removed":
        path.unlink()
    else:
        path.write_bytes(bytes([path.read_bytes()[0] ^ 1]) + path.read_bytes()[1:])


def test_opening_needs_no_torch(tmp_path, start_python):
    script = """
import sys
import cilsim.results.cache, cilsim.results.manifest, cilsim.results.summary
heavy = {"torch", "safetensors", "torchvision", "matplotlib", "sklearn"} & set(sys.modules)
print(sorted(heavy))
"""
    output, _ = start_python(script).communicate(timeout=60)
    assert output == "[]\n"
