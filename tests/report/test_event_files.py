from unittest.mock import Mock

import pytest
from torch.utils.tensorboard import SummaryWriter

from cilsim.errors import RunFolderError
from cilsim.report.event_files import band_layout, hyperparameters, open_writer, run_layout


def test_every_writer_tells_live_readers_to_forget(tmp_path):
    writer_class = Mock(spec=SummaryWriter)
    open_writer(tmp_path, writer_class)
    writer_class.assert_called_once_with(log_dir=str(tmp_path), purge_step=0)


def test_of_old_event_files_only_the_newest_stays_and_is_empty(tmp_path):
    for number in (1, 2, 3):
        (tmp_path / f"events.out.tfevents.{number}.host.1.0").write_bytes(b"old")
    (tmp_path / "metrics.jsonl").write_bytes(b"kept")
    open_writer(tmp_path, Mock(spec=SummaryWriter))
    left = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert left == {"events.out.tfevents.3.host.1.0": b"", "metrics.jsonl": b"kept"}


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path):
    place = tmp_path / "file"
    place.touch()
    with pytest.raises(RunFolderError) as caught:
        open_writer(place / "seed-0")
    assert str(caught.value) == (
        f"{place}/seed-0/events.out.tfevents.*: cannot be written: Not a directory"
    )


def test_the_layout_begins_with_forgetting_curves(stream):
    assert run_layout(stream) == {
        "forgetting": {
            "accuracy by experience": ["Multiline", ["accuracy_by_experience/.*"]],
            "forgetting by experience": ["Multiline", ["forgetting_by_experience/.*"]],
            "base, novel, all": ["Multiline", ["eval/A_(base|novel|all)$"]],
        }
    }


def test_a_discovery_stream_has_a_chart_of_old_and_new(discovery_stream):
    charts = run_layout(discovery_stream)["forgetting"]
    assert charts["old, new, all"] == ["Multiline", ["eval/A_(old|new|all)$"]]


def test_the_layout_of_bands_keeps_the_forgetting_curves_first(stream):
    layout = band_layout(stream, ["A_all"])
    tags = ["mean/A_all/value", "mean/A_all/lower", "mean/A_all/upper"]
    assert list(layout) == ["forgetting", "mean over seeds, 95 % band"]
    assert layout["mean over seeds, 95 % band"] == {"A_all": ["Margin", tags]}


def test_hyperparameters_are_flat_numbers_and_texts(make_run):
    assert hyperparameters(make_run()) == {
        "scenario": "rings",
        "strategy": "teen",
        "seed": 0,
        "calibrators": "none",
        "option.scale": 16.0,
        "option.nested.shift": "None",
        "option.cosine": True,
    }


def test_a_stream_whose_classes_come_again_has_no_chart_of_groups(domain_stream):
    charts = run_layout(domain_stream)["forgetting"]
    assert list(charts) == ["accuracy by experience", "forgetting by experience", "all"]
    assert charts["all"] == ["Multiline", ["eval/A_all$"]]
