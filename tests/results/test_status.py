from __future__ import annotations

import json
import logging

import pytest

from cilsim.errors import CheckpointError
from cilsim.results import status as status_module
from cilsim.results.sealed_json import sealed
from cilsim.results.status import Progress, Status, StatusFile


@pytest.fixture
def clock(monkeypatch):
    """A clock that shows one second more each time."""
    seconds = iter(range(60))
    monkeypatch.setattr(status_module, "_now", lambda: f"2030-01-01T00:00:{next(seconds):02d}")


@pytest.fixture
def status(tmp_path):
    return StatusFile(tmp_path / "status.json")


def test_there_is_no_status_before_the_first(status):
    assert status.read() is None


@pytest.mark.usefixtures("clock")
def test_the_file_says_how_far_a_command_has_come(status):
    status.begin("cilsim resume runs/a")
    status.advance("teen", 1, experience=2, of=9)
    found = json.loads(status.path.read_text())
    assert len(found.pop("sha256")) == 64
    assert found == {
        "state": "running",
        "resume": "cilsim resume runs/a",
        "started": "2030-01-01T00:00:00",
        "updated": "2030-01-01T00:00:02",
        "error": "",
        "progress": {"teen/seed-1": {"experience": 2, "of": 9}},
    }


@pytest.mark.usefixtures("clock")
def test_beginning_again_keeps_start_and_progress_and_forgets_the_error(status):
    status.begin("cilsim resume runs/a")
    status.advance("teen", 1, experience=2, of=9)
    status.end("failed", "plugin 'x' raised ValueError")
    status.begin("cilsim resume runs/b")
    assert status.read() == Status(
        state="running",
        resume="cilsim resume runs/b",
        started="2030-01-01T00:00:00",
        updated=status.read().updated,
        progress={"teen/seed-1": Progress(2, 9)},
    )


@pytest.mark.parametrize("state", ["finished", "interrupted", "failed"])
def test_the_end_keeps_progress_and_error(status, state):
    status.begin("cilsim resume runs/a")
    status.advance("teen", 1, experience=2, of=9)
    status.end(state, "the line")
    found = status.read()
    assert (found.state, found.error) == (state, "the line")
    assert found.progress == {"teen/seed-1": Progress(2, 9)}


def test_times_are_utc(status):
    status.begin("")
    assert status.read().started.endswith("+00:00")


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("{", "it is not a complete JSON text"),
        ("[]", "it is not a JSON object"),
        ("{}", "its checksum does not match its content"),
        ('{"state": NaN}', "its checksum does not match its content"),
        (sealed({}), "it is not a status"),
        (sealed({"state": "rumming", "progress": {}}), "it is not a status"),
        (b"\xff", "it is not UTF-8 text"),
    ],
)
def test_a_damaged_status_is_named(status, text, what):
    status.path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(CheckpointError) as caught:
        status.read()
    assert str(caught.value) == f"{status.path}: is damaged: {what}"


def test_no_flipped_byte_of_a_status_is_ever_used(status):
    status.begin("cilsim resume runs/a")
    good = status.path.read_bytes()
    for position in range(len(good)):
        status.path.write_bytes(
            good[:position] + bytes([good[position] ^ 1]) + good[position + 1 :]
        )
        with pytest.raises(CheckpointError):
            status.read()


@pytest.mark.usefixtures("clock")
def test_a_status_that_says_so_already_is_not_written_again(status):
    status.begin("cilsim resume runs/a")
    status.advance("teen", 1, experience=2, of=9)
    before = status.path.read_bytes()
    status.advance("teen", 1, experience=2, of=9)
    assert status.path.read_bytes() == before


def test_a_damaged_status_is_written_anew_with_a_warning(status, caplog):
    status.path.write_text("{")
    with caplog.at_level(logging.WARNING):
        status.begin("cilsim resume runs/a")
    assert status.read().resume == "cilsim resume runs/a"
    assert caplog.messages == [
        f"{status.path}: is damaged: it is not a complete JSON text; it is written anew"
    ]
