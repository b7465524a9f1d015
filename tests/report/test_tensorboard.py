from collections import Counter
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from unittest.mock import Mock

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch.utils.tensorboard import SummaryWriter

from cilsim.errors import RunFailed
from cilsim.plugins import new_manager
from cilsim.records import Scalars
from cilsim.report.event_files import EVENT_FILES
from cilsim.report.scalar_log import ScalarLog, read_scalars
from cilsim.report.tensorboard import TensorBoardReporter, evaluation_scalars

EPOCHS = 2
STEPS = 5


@pytest.fixture
def writer():
    writer = Mock(spec=SummaryWriter)
    writer.file_writer = Mock()
    return writer


def hooks(*reporters):
    manager = new_manager()
    for reporter in reporters:
        manager.register(reporter)
    return manager.hook


def scalars_of(experience: int) -> list[Scalars]:
    """Return what two epochs of five steps log in an experience."""
    first = experience * EPOCHS * STEPS
    return [
        Scalars({"train/loss": 1 / (first + STEPS * epoch), "train/epoch": epoch,
                 "train/epochs": EPOCHS}, first + STEPS * epoch)
        for epoch in (1, 2)
    ]  # fmt: skip


def live_through(hook, run, evaluations):
    for evaluation in evaluations:
        for scalars in scalars_of(evaluation.experience):
            hook.cilsim_on_scalars(run=run, scalars=scalars)
        hook.cilsim_after_evaluation(run=run, evaluation=evaluation)


def read(folder: Path) -> EventAccumulator:
    everything = {"scalars": 0, "images": 0, "tensors": 0}
    return EventAccumulator(str(folder), size_guidance=everything).Reload()


def contents(folder: Path) -> dict[str, list]:
    """Return step and value of each scalar, picture and text by tag, all that readers see."""
    events = read(folder)
    tags = events.Tags()
    return {
        **{tag: [(e.step, e.value) for e in events.Scalars(tag)] for tag in tags["scalars"]},
        **{tag: [(e.step, e.encoded_image_string) for e in events.Images(tag)]
           for tag in tags["images"]},
        **{tag: [(e.step, e.tensor_proto.string_val[:]) for e in events.Tensors(tag)]
           for tag in tags["tensors"]},
    }  # fmt: skip


def test_scalars_are_written_under_the_documented_tags(writer, make_run, evaluations):
    run = make_run()
    hook = hooks(TensorBoardReporter(images=False, writer_class=lambda **_: writer))
    hook.cilsim_before_run(run=run)
    live_through(hook, run, evaluations[:2])
    steps: dict[str, list[int]] = {}
    for call in writer.add_scalar.call_args_list:
        steps.setdefault(call.args[0], []).append(call.args[2])
    assert steps == {
        "train/loss": [5, 10, 15, 20],
        "eval/A_all": [0, 1],
        "eval/A_base": [0, 1],
        "eval/A_novel": [1],
        "eval/A_hm": [1],
        "eval/A_avg_inc": [0],
        "eval/forgetting": [1],
        "accuracy_by_experience/00": [0, 1],
        "accuracy_by_experience/01": [1],
        "forgetting_by_experience/00": [1],
        "cost/seconds_train": [0, 1],
        "cost/seconds_evaluate": [0, 1],
        "cost/bytes_kept": [0, 1],
    }


def test_a_value_whose_name_has_a_slash_keeps_its_name(evaluations):
    values = {**evaluations[0].values, "prototypes/drift": 0.5}
    changed = replace(evaluations[0], values=values)
    tags = set(evaluation_scalars(changed)) - set(evaluation_scalars(evaluations[0]))
    assert tags == {"prototypes/drift"}


def test_four_pictures_are_written_per_experience(writer, make_run, evaluations):
    run = make_run()
    hook = hooks(TensorBoardReporter(writer_class=lambda **_: writer))
    hook.cilsim_before_run(run=run)
    live_through(hook, run, evaluations[:1])
    written = [(call.args[0], call.args[1].shape[2], call.args[2], call.kwargs)
               for call in writer.add_image.call_args_list]  # fmt: skip
    assert written == [
        ("matrix/accuracy", 3, 0, {"dataformats": "HWC"}),
        ("matrix/forgetting", 3, 0, {"dataformats": "HWC"}),
        ("matrix/confusion", 3, 0, {"dataformats": "HWC"}),
        ("figures/forgetting_curves", 3, 0, {"dataformats": "HWC"}),
    ]


def test_texts_are_markdown(writer, make_run, make_result):
    run = make_run()
    reporter = TensorBoardReporter(
        scenario_yaml="schema: 1\nname: rings\n",
        environment={"torch": "2.15", "device": "<cpu>"},
        writer_class=lambda **_: writer,
    )
    hook = hooks(reporter)
    hook.cilsim_before_run(run=run)
    hook.cilsim_after_run(run=run, result=make_result())
    texts = {call.args[0]: call.args[1] for call in writer.add_text.call_args_list}
    assert texts["run/scenario"] == "```yaml\nschema: 1\nname: rings\n```\n"
    assert texts["run/environment"] == (
        "| name | value |\n| --- | ---: |\n| torch | 2.15 |\n| device | &lt;cpu&gt; |"
    )
    assert texts["run/report"].splitlines()[-1] == (
        "| 2 session 2 | 4 | 56.0 | 50.0 | 62.5 | 55.5 | 25.0 | 2.0 kB | 21.5 s |"
    )


def test_each_experience_is_flushed(writer, make_run, evaluations):
    run = make_run()
    hook = hooks(TensorBoardReporter(images=False, writer_class=lambda **_: writer))
    hook.cilsim_before_run(run=run)
    before = writer.flush.call_count
    live_through(hook, run, evaluations)
    assert writer.flush.call_count - before == 3


def test_the_writer_is_closed_once_at_the_end_and_not_used_after(
    writer, make_run, make_result, evaluations
):
    run = make_run()
    hook = hooks(TensorBoardReporter(images=False, writer_class=lambda **_: writer))
    hook.cilsim_before_run(run=run)
    hook.cilsim_after_run(run=run, result=make_result())
    calls = len(writer.mock_calls)
    live_through(hook, run, evaluations)
    hook.cilsim_after_run(run=run, result=make_result())
    hook.cilsim_on_run_error(run=run, error=RunFailed("late"))
    assert (writer.close.call_count, len(writer.mock_calls)) == (1, calls)


def test_the_writer_is_closed_when_the_run_fails(writer, make_run):
    run = make_run()
    hook = hooks(TensorBoardReporter(writer_class=lambda **_: writer))
    hook.cilsim_before_run(run=run)
    hook.cilsim_on_run_error(run=run, error=RunFailed("no space left"))
    writer.close.assert_called_once_with()


def test_a_run_that_fails_before_it_begins_is_no_trouble(make_run):
    hook = hooks(TensorBoardReporter())
    hook.cilsim_on_run_error(run=make_run(), error=RunFailed("no data"))
    assert not make_run().folder.exists()


def test_what_is_written_can_be_read_back(make_run, make_result, evaluations):
    run = make_run()
    hook = hooks(TensorBoardReporter(scenario_yaml="schema: 1\n"))
    hook.cilsim_before_run(run=run)
    live_through(hook, run, evaluations)
    hook.cilsim_after_run(run=run, result=make_result())
    found = contents(run.folder)
    assert found["accuracy_by_experience/00"] == [
        (0, pytest.approx(0.9)), (1, pytest.approx(0.8)), (2, pytest.approx(0.5))
    ]  # fmt: skip
    assert found["forgetting_by_experience/01"] == [(2, pytest.approx(0.1))]
    assert [step for step, _ in found["matrix/confusion"]] == [0, 1, 2]
    assert {tag for tag in found if tag.startswith(("run/", "custom"))} == {
        "run/scenario/text_summary",
        "run/report/text_summary",
        "custom_scalars__config__",
    }
    assert len(list(run.folder.glob(EVENT_FILES))) == 1


def test_the_hparams_tab_takes_its_metrics_from_the_scalars(make_run, make_result):
    from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData

    run = make_run()
    hook = hooks(TensorBoardReporter())
    hook.cilsim_before_run(run=run)
    hook.cilsim_after_run(run=run, result=make_result())
    content = read(run.folder).SummaryMetadata("_hparams_/experiment").plugin_data.content
    experiment = HParamsPluginData.FromString(content).experiment
    assert [info.name.tag for info in experiment.metric_infos] == [
        "eval/A_all", "eval/A_base", "eval/A_novel", "eval/A_hm", "eval/forgetting"
    ]  # fmt: skip


@pytest.mark.parametrize("done", [0, 1, 2])
def test_a_resumed_run_reads_like_an_uninterrupted_one(done, make_run, make_result, evaluations):
    whole = make_run()
    broken = replace(whole, folder=whole.folder.with_name("broken"))
    hook = hooks(TensorBoardReporter(), ScalarLog())
    hook.cilsim_before_run(run=whole)
    live_through(hook, whole, evaluations)
    hook.cilsim_after_run(run=whole, result=make_result())
    expected = contents(whole.folder)

    killed = hooks(TensorBoardReporter(), ScalarLog())
    killed.cilsim_before_run(run=broken)
    live_through(killed, broken, evaluations[:done])
    for scalars in scalars_of(done):  # trained, but killed before the checkpoint
        killed.cilsim_on_scalars(run=broken, scalars=scalars)
    killed.cilsim_on_run_error(run=broken, error=RunFailed("killed"))

    last_step = done * EPOCHS * STEPS
    past = read_scalars(broken.folder, last_step)
    resumed = hooks(
        TensorBoardReporter(replay=evaluations[:done], replay_scalars=past), ScalarLog(past)
    )
    resumed.cilsim_before_run(run=broken)
    live_through(resumed, broken, evaluations[done:])
    resumed.cilsim_after_run(run=broken, result=make_result())
    assert contents(broken.folder) == expected


@pytest.mark.parametrize("reader", ["event_accumulator", "plugin_event_accumulator"])
def test_a_tensorboard_that_looks_on_forgets_what_is_written_again(reader, make_run, evaluations):
    module = import_module(f"tensorboard.backend.event_processing.{reader}")
    run = make_run()
    first = hooks(TensorBoardReporter(images=False))
    first.cilsim_before_run(run=run)
    live_through(first, run, evaluations)
    first.cilsim_on_run_error(run=run, error=RunFailed("killed"))
    looking = module.EventAccumulator(str(run.folder)).Reload()
    points = looking.Scalars if reader == "event_accumulator" else looking.Tensors

    again = hooks(
        TensorBoardReporter(replay=evaluations[:1], replay_scalars=scalars_of(0), images=False)
    )
    again.cilsim_before_run(run=run)
    looking.Reload()
    steps = {tag: [event.step for event in points(tag)] for tag in ("train/loss", "eval/A_all")}
    assert steps == {"train/loss": [5, 10], "eval/A_all": [0]}
    again.cilsim_on_run_error(run=run, error=RunFailed("end of test"))


def test_tags_are_written_once_per_step(make_run, evaluations):
    run = make_run()
    hook = hooks(TensorBoardReporter(images=False))
    hook.cilsim_before_run(run=run)
    live_through(hook, run, evaluations)
    hook.cilsim_on_run_error(run=run, error=RunFailed("end of test"))
    counted = Counter((tag, step) for tag, points in contents(run.folder).items()
                      for step, _ in points)  # fmt: skip
    assert set(counted.values()) == {1}
