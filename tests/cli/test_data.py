"""`cilsim data`: listing, fetching and verifying published data sets."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from hashlib import md5
from pathlib import Path
from random import Random
from typing import Any

import pytest
from file_server import FileServer, serving

from cilsim.cli.commands import data as data_command

Command = Callable[..., Any]

CONTENTS = {"images.zip": Random(0).randbytes(600_000), "labels.txt": b"0 1 2\n"}
PLUGIN = """
from cilsim import Options, hookimpl
from cilsim.data.publication import Publication, PublishedFile

cilsim_api = 1

@hookimpl
def cilsim_register_datasets(register):
    files = (
        PublishedFile("images.zip", "{images}", 600000, ("{address}images.zip",), ("images",)),
        PublishedFile("labels.txt", "{labels}", 6, ("{address}labels.txt",)),
    )
    published = Publication("parts", "https://example.org/parts", "MIT", 3, 20, 10, files)
    register("parts", "parts:load", facts="parts:facts", summary="parts", publication=published)
    register("own", "parts:load", facts="parts:facts", summary="of no publication")
"""


@pytest.fixture(autouse=True)
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the data set `parts`; nothing of it is there."""
    monkeypatch.setenv("CILSIM_DATA", str(tmp_path / "data"))
    return tmp_path / "data" / "parts"


@pytest.fixture
def server() -> Iterator[FileServer]:
    with serving() as running:
        running.files.update(CONTENTS)
        yield running


@pytest.fixture
def plugin(server: FileServer, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    """A plugin whose data set `parts` consists of two files on the server."""
    module = f"parts_{abs(hash(request.node.name))}"
    digests = [md5(content).hexdigest() for content in CONTENTS.values()]
    path = tmp_path / f"{module}.py"
    text = PLUGIN.replace("{images}", digests[0]).replace("{labels}", digests[1])
    text = text.replace("{address}", server.address)
    path.write_text(text)
    yield path
    sys.modules.pop(module, None)


def rows(cli: Command, *arguments: Any) -> dict[str, Any]:
    return {row["name"]: row for row in cli("data", "list", "--json", *arguments).document()}


def test_every_data_set_is_listed_with_numbers_size_state_place_licence_and_source(
    cli: Command, tmp_path: Path
) -> None:
    listed = rows(cli)
    assert listed["cub200"] == {
        "name": "cub200",
        "owner": "cilsim 0.1.0",
        "classes": 200,
        "train": 5994,
        "test": 5794,
        "bytes": 1_150_585_339,
        "state": "absent",
        "fetchable": True,
        "root": str(tmp_path / "data" / "cub200"),
        "licence": "non-commercial research and education",
        "source": "https://www.vision.caltech.edu/datasets/cub_200_2011/",
    }
    assert listed["imagenet"]["fetchable"] is False
    assert listed["imagenet"]["source"].endswith(" (with an account)")
    assert listed["glyphs100"]["state"] == "needs none"
    assert listed["glyphs100"]["classes"] == 100


def test_the_table_has_a_line_for_each(cli: Command, tmp_path: Path) -> None:
    outcome = cli("data", "list")
    head, *lines = outcome.out.splitlines()
    assert head.split() == [
        *("name", "classes", "samples", "size", "there", "folder", "licence", "source"),
    ]
    [svhn] = [line for line in lines if line.startswith("svhn ")]
    assert svhn.split() == [
        *("svhn", "10", "73257", "+", "26032", "246.3", "MB", "absent"),
        *(str(tmp_path / "data" / "svhn"), "non-commercial", "use"),
        "http://ufldl.stanford.edu/housenumbers/",
    ]


def test_numbers_of_what_needs_no_files_are_those_of_its_default_options() -> None:
    from cilsim.data.digits import DigitsOptions, facts_digits
    from cilsim.data.glyphs import GlyphOptions, facts_glyphs100, facts_glyphs200
    from cilsim.data.made_here import DIGITS, GLYPHS100, GLYPHS200

    for published, facts in (
        (DIGITS, facts_digits(DigitsOptions())),
        (GLYPHS100, facts_glyphs100(GlyphOptions())),
        (GLYPHS200, facts_glyphs200(GlyphOptions())),
    ):
        counts = len(facts.class_ids), len(facts.y_train), len(facts.y_test)
        assert (published.classes, published.train, published.test) == counts


def test_fetching_brings_every_file_and_again_finds_them_there(
    cli: Command, plugin: Path, root: Path, server: FileServer
) -> None:
    assert rows(cli, "--plugin", plugin)["parts"]["state"] == "absent"
    first = cli("data", "fetch", "parts", "--plugin", plugin)
    assert (first.code, first.err) == (0, "")
    assert first.out.splitlines() == [
        f"parts: images.zip  fetched, 600.0 kB  {root}/images.zip",
        f"parts: labels.txt  fetched, 6 B  {root}/labels.txt",
    ]
    assert {name: (root / name).read_bytes() for name in CONTENTS} == CONTENTS
    assert rows(cli, "--plugin", plugin)["parts"]["state"] == "there"
    again = cli("data", "fetch", "parts", "--plugin", plugin, "--json")
    assert again.document() == [
        {
            "name": "parts",
            "files": [
                {
                    "file": name,
                    "state": "there",
                    "path": str(root / name),
                    "bytes": len(content),
                }
                for name, content in CONTENTS.items()
            ],
        }
    ]
    assert len(server.asked) == 2


def test_another_folder_can_be_chosen_and_what_is_unpacked_is_not_fetched(
    cli: Command, plugin: Path, tmp_path: Path
) -> None:
    place = tmp_path / "elsewhere"
    (place / "images").mkdir(parents=True)
    outcome = cli("data", "fetch", "parts", "--root", place, "--plugin", plugin)
    assert outcome.out.splitlines() == [
        f"parts: images.zip  unpacked already  {place}/images",
        f"parts: labels.txt  fetched, 6 B  {place}/labels.txt",
    ]


def test_a_damaged_file_is_fetched_again(cli: Command, plugin: Path, root: Path) -> None:
    cli("data", "fetch", "parts", "--plugin", plugin)
    (root / "labels.txt").write_text("0 1 3\n")
    outcome = cli("data", "fetch", "parts", "--plugin", plugin)
    assert outcome.err == (
        f"warning: data set 'parts': '{root}/labels.txt' is not the published file; fetched again\n"
    )
    assert (root / "labels.txt").read_bytes() == CONTENTS["labels.txt"]


def test_a_file_that_is_not_there_any_more_is_one_line(
    cli: Command, plugin: Path, server: FileServer, root: Path
) -> None:
    del server.files["images.zip"]
    outcome = cli("data", "fetch", "parts", "--plugin", plugin)
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err == (
        f"error: data set 'parts': 'images.zip' cannot be fetched: {server.address}images.zip: the "
        "server answers 404 (Not Found) - the same command goes on where it stopped, or put the "
        f"file into '{root}' by hand\n"
    )


def test_what_is_begun_is_listed_as_incomplete(cli: Command, plugin: Path, root: Path) -> None:
    root.mkdir(parents=True)
    (root / "images.zip.part").write_bytes(CONTENTS["images.zip"][:1000])
    assert rows(cli, "--plugin", plugin)["parts"]["state"] == "incomplete"


def test_ctrl_c_keeps_what_has_arrived_and_the_command_goes_on(
    plugin: Path, root: Path, server: FileServer
) -> None:
    server.misbehaviour = [-300_000, *[503] * 20]
    words = ["data", "fetch", "parts", "--plugin", str(plugin)]
    command = [sys.executable, "-m", "cilsim", *words]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    part = root / "images.zip.part"
    deadline = time.monotonic() + 30
    while not (part.exists() and part.stat().st_size == 300_000):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (130, "")
    assert err.splitlines()[-1] == "stopped; go on with: cilsim data fetch parts"
    server.misbehaviour.clear()
    asked = len(server.asked)
    subprocess.run(command, check=True, capture_output=True, timeout=30)
    assert server.asked[asked] == ("images.zip", "bytes=300000-")
    assert (root / "images.zip").read_bytes() == CONTENTS["images.zip"]


def test_verifying_tells_intact_damaged_missing_and_unpacked(
    cli: Command, plugin: Path, root: Path
) -> None:
    cli("data", "fetch", "parts", "--plugin", plugin)
    intact = cli("data", "verify", "parts", "--plugin", plugin)
    assert (intact.code, intact.out) == (
        0,
        "intact    parts: images.zip\nintact    parts: labels.txt\n",
    )
    (root / "labels.txt").write_text("moved\n")
    (root / "images.zip").unlink()
    harmed = cli("data", "verify", "parts", "--plugin", plugin)
    found, published = (md5(data).hexdigest() for data in (b"moved\n", CONTENTS["labels.txt"]))
    assert (harmed.code, harmed.out) == (
        1,
        "missing   parts: images.zip\n"
        f"damaged   parts: labels.txt  md5 {found}, published is {published}; fetch it again with: "
        "cilsim data fetch parts\n",
    )
    (root / "images").mkdir()
    files = cli("data", "verify", "parts", "--json", "--plugin", plugin).document()[0]["files"]
    assert [file["verdict"] for file in files] == ["unpacked", "damaged"]


def test_verifying_compares_the_files_of_an_unpacked_cifar(cli: Command, root: Path) -> None:
    folder = root.with_name("cifar100") / "cifar-100-python"
    folder.mkdir(parents=True)
    (folder / "train").write_bytes(b"train")
    outcome = cli("data", "verify", "cifar100", "--json")
    assert outcome.code == 1
    assert outcome.document() == [
        {
            "name": "cifar100",
            "files": [
                {
                    "file": f"cifar-100-python/{name}",
                    "verdict": verdict,
                    "found": found,
                    "published": published,
                }
                for name, verdict, found, published in (
                    (
                        "train",
                        "damaged",
                        md5(b"train").hexdigest(),
                        "16019d7e3df5f24257cddd939b257f8d",
                    ),
                    ("test", "missing", "", "f0ef6b0ae62326f3e7ffdfab6717acfc"),
                    ("meta", "missing", "", "7973b15100ade9c7d40fb424638fde48"),
                )
            ],
        }
    ]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ("fetch", "svhnn"),
            "data set 'svhnn': there is none of this name; did you mean 'svhn'? - "
            "'cilsim data list' shows all",
        ),
        (
            ("fetch", "glyphs100"),
            "data set 'glyphs100': it has no published files - a scenario can use it as it is",
        ),
        (
            ("verify", "arrays"),
            "data set 'arrays': it has no published files - a scenario can use it as it is",
        ),
        (
            ("fetch", "mini_imagenet"),
            "data set 'mini_imagenet': it cannot be fetched from here - get it from "
            "https://github.com/icoz69/CEC-CVPR2021 (section 'Datasets') and put "
            "'miniimagenet.tar' into '{data}/mini_imagenet'",
        ),
        (
            ("verify", "tiny_imagenet"),
            "data set 'tiny_imagenet': nothing of 'tiny-imagenet-200.zip' (248100043 bytes, md5 "
            "90528d7ca1a48142e341f4ef8d21d0de) is in '{data}/tiny_imagenet' - fetch it with "
            "'cilsim data fetch tiny_imagenet' or from "
            "http://cs231n.stanford.edu/tiny-imagenet-200.zip into that folder; the data set "
            "'glyphs100' needs no download",
        ),
        (
            ("fetch", "svhn", "mnist", "--root", "x"),
            "--root is the folder of one data set; name one at a time",
        ),
    ],
    ids=["unknown", "made here", "own", "by hand", "nothing there", "one root"],
)
def test_what_cannot_be_done_is_one_line(
    words: tuple[str, ...], message: str, cli: Command, root: Path
) -> None:
    outcome = cli("data", *words)
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err == f"error: {message.replace('{data}', str(root.parent))}\n"
    assert not root.parent.exists()


def test_a_publication_of_another_type_names_the_plugin(cli: Command, plugin: Path) -> None:
    plugin.write_text(plugin.read_text().replace("publication=published", "publication=3"))
    outcome = cli("data", "fetch", "parts", "--plugin", plugin)
    assert outcome.code == 2
    assert outcome.err == (
        "error: data set 'parts' of this process is registered with a publication of type int - "
        "expected cilsim.data.publication.Publication\n"
    )


def test_a_folder_that_cannot_be_made_is_one_line(
    cli: Command, plugin: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    outcome = cli("data", "fetch", "parts", "--root", tmp_path / "file" / "x", "--plugin", plugin)
    assert outcome.err == (
        f"error: data set 'parts': '{tmp_path}/file/x' cannot be made: Not a directory - "
        "give a --root that can be written\n"
    )


def test_the_commands_of_the_group_exist(cli: Command) -> None:
    for name in data_command.COMMANDS:
        assert cli("data", name, "--help").code == 0
