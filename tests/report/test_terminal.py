import io
import sys
from dataclasses import replace

import pytest

from cilsim.errors import RunFailed
from cilsim.plugins import new_manager
from cilsim.records import Scalars
from cilsim.report.terminal import QUIET, VERBOSE, TerminalReporter


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "120")


def tell(run, evaluations, stream, result=None, **options) -> str:
    """Tell a whole run, two epochs per experience, and return what was printed."""
    manager = new_manager()
    clock = iter(range(1000))
    manager.register(TerminalReporter(stream=stream, clock=lambda: float(next(clock)), **options))
    hook = manager.hook
    hook.cilsim_before_run(run=run)
    for evaluation in evaluations:
        experience = run.stream.experiences[evaluation.experience]
        hook.cilsim_before_experience(run=run, experience=experience)
        for epoch in (1, 2):
            values = {"train/loss": 0.5, "train/epoch": epoch, "train/epochs": 2}
            hook.cilsim_on_scalars(run=run, scalars=Scalars(values, epoch))
        hook.cilsim_after_training(run=run, experience=experience, seconds=1.0)
        hook.cilsim_after_evaluation(run=run, evaluation=evaluation)
    if result is not None:
        hook.cilsim_after_run(run=run, result=result)
    return stream.getvalue()


TOLD = """\
rings: 2 + 2x1-way 5-shot on ring, 3 experiences (1 base + 2), order and split 01234567
strategy teen, seed 0, cpu, run 2 of 6; accuracies in %
experience   classes     all    base   novel  harmonic  forgetting      kept      time
0 base             2    90.0    90.0       -         -           -    1.5 kB      1:02
1 session 1        3    77.0    80.0    70.0      74.6        10.0    1.8 kB    31.5 s
2 session 2        4    56.0    50.0    62.5      55.5        25.0    2.0 kB    21.5 s
finished in 1:54
"""


def test_a_log_has_a_header_and_one_line_per_experience(make_run, evaluations, make_result):
    told = tell(make_run(), evaluations, io.StringIO(), make_result(), number=2, of=6)
    assert told == TOLD


def test_a_single_run_does_not_say_which(make_run):
    told = tell(make_run(), [], io.StringIO())
    assert told.splitlines()[1] == "strategy teen, seed 0, cpu; accuracies in %"


def test_calibrators_are_named_with_the_strategy(make_run):
    run = replace(make_run("fetril"), calibrators=("teen", "scale"))
    told = tell(run, [], io.StringIO())
    assert told.splitlines()[1] == "strategy fetril + teen + scale, seed 0, cpu; accuracies in %"


def test_a_resumed_run_begins_with_its_stored_rows(make_run, evaluations):
    told = tell(make_run(), evaluations[2:], io.StringIO(), replay=evaluations[:2])
    assert told.splitlines()[3:] == [
        "0 base             2    90.0    90.0       -         -           -    1.5 kB    stored",
        "1 session 1        3    77.0    80.0    70.0      74.6        10.0    1.8 kB    stored",
        "2 session 2        4    56.0    50.0    62.5      55.5        25.0    2.0 kB    21.5 s",
    ]


def test_verbose_adds_the_accuracy_on_each_experience(make_run, evaluations):
    told = tell(make_run(), evaluations, io.StringIO(), verbosity=VERBOSE)
    assert [line for line in told.splitlines() if line.startswith("  ")] == [
        "  by experience: 90.0",
        "  by experience: 80.0 70.0",
        "  by experience: 50.0 60.0 65.0",
    ]


def test_quiet_prints_nothing(make_run, evaluations, make_result):
    assert tell(make_run(), evaluations, Terminal(), make_result(), verbosity=QUIET) == ""


def test_a_discovery_stream_is_headed_old_and_new(make_run, discovery_stream):
    run = replace(make_run(), stream=discovery_stream)
    assert tell(run, [], io.StringIO()).splitlines()[2] == (
        "experience   classes     all     old     new  harmonic  forgetting      kept      time"
    )


def test_a_terminal_has_a_live_line_that_is_wiped_before_each_row(make_run, evaluations):
    told = tell(make_run(), evaluations[:1], Terminal())
    assert "base: training" in told
    assert "base: epoch 1/2  loss 0.500  1.0 s left" in told
    assert "base: evaluating" in told
    assert told.count("\x1b[?25l") == told.count("\x1b[?25h") == 1  # the cursor comes back


def test_no_color_keeps_the_live_line_and_drops_colours(make_run, evaluations, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    told = tell(make_run(), evaluations[:1], Terminal())
    assert "base: evaluating" in told
    assert "\x1b[36m" not in told


def test_a_dumb_terminal_has_no_control_codes(make_run, evaluations, make_result, monkeypatch):
    monkeypatch.setenv("TERM", "dumb")
    told = tell(make_run(), evaluations, Terminal(), make_result(), number=2, of=6)
    assert told == TOLD


def test_long_lines_are_not_wrapped_in_a_narrow_window(make_run, evaluations, monkeypatch):
    monkeypatch.setenv("COLUMNS", "20")
    stream = io.StringIO()
    assert len(tell(make_run(), evaluations, stream).splitlines()) == 6


def test_an_ascii_terminal_does_not_crash(make_run, evaluations):
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii", errors="strict")
    manager = new_manager()
    manager.register(TerminalReporter(stream=stream))
    manager.hook.cilsim_before_run(run=replace(make_run(), scenario="größe ± 1"))
    stream.flush()
    assert raw.getvalue().decode("ascii").startswith("gr??e +/- 1: 2 + 2x1-way 5-shot on ring")


def test_a_hostile_name_cannot_control_the_terminal(make_run):
    told = tell(replace(make_run(), scenario="a\x1b[2Jb [red]c[/red]"), [], io.StringIO())
    assert told.startswith("a?[2Jb [red]c[/red]: ")


def test_an_error_says_how_far_the_run_came(make_run, stream):
    text = io.StringIO()
    manager = new_manager()
    manager.register(TerminalReporter(stream=text))
    run = make_run()
    manager.hook.cilsim_before_run(run=run)
    manager.hook.cilsim_before_experience(run=run, experience=stream.experiences[1])
    manager.hook.cilsim_on_run_error(run=run, error=RunFailed("NaN"))
    assert text.getvalue().splitlines()[-1] == "teen, seed 0: stopped in experience 'session 1'"


def test_an_error_before_the_first_experience_says_so(make_run):
    text = io.StringIO()
    manager = new_manager()
    manager.register(TerminalReporter(stream=text))
    manager.hook.cilsim_on_run_error(run=make_run(), error=RunFailed("no memory"))
    assert text.getvalue() == "teen, seed 0: stopped before its first experience\n"


def test_an_error_gives_the_cursor_back(make_run, stream):
    text = Terminal()
    manager = new_manager()
    manager.register(TerminalReporter(stream=text))
    run = make_run()
    manager.hook.cilsim_before_experience(run=run, experience=stream.experiences[0])
    manager.hook.cilsim_on_run_error(run=run, error=RunFailed("NaN"))
    assert text.getvalue().count("\x1b[?25h") == 1


def test_what_others_write_appears_above_the_live_line(make_run, stream):
    text, before = Terminal(), sys.stderr
    manager = new_manager()
    manager.register(TerminalReporter(stream=text))
    run = make_run()
    manager.hook.cilsim_before_experience(run=run, experience=stream.experiences[0])
    sys.stderr.write("base training: reused\n")
    manager.hook.cilsim_on_run_error(run=run, error=RunFailed("NaN"))
    assert "\x1b[2Kbase training: reused\n" in text.getvalue()
    assert sys.stderr is before


def test_stderr_is_where_it_goes_by_default(make_run, capsys):
    manager = new_manager()
    manager.register(TerminalReporter())
    manager.hook.cilsim_before_run(run=make_run())
    printed = capsys.readouterr()
    assert (printed.out, printed.err[:6]) == ("", "rings:")
