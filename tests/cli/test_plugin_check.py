"""`cilsim plugin check`: one line per promise, and an exit code."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Command = Callable[..., Any]

PASSES = """\
strategy mine
PASS  runs                      3 experiences of class_incremental
PASS  shapes                    scores over 4, 7, 9 classes
PASS  equal seeds, equal files  5 files of two runs are equal byte for byte
PASS  resumes                   stopped at step 2 of 3, and after each experience: the same files \
byte for byte
PASS  declared memory           state_dict() holds 1,152 bytes of tensors, kept() says 1,152
PASS  plain state               3 states of tensors and plain data
PASS  samples untouched         those of 3 experiences are as they were
PASS  nothing hidden            other test images change nothing that it learns
PASS  single classes            3 experiences of class_incremental
PASS  last batch of one         3 experiences of class_incremental
PASS  kinds served              serves class_incremental alone
PASS  methods known             overrides learn, scores
PASS  options documented        no options
"""

PLUGIN = """
import torch
from cilsim import Strategy, hookimpl

cilsim_api = 1


class Mine(Strategy):
    def learn(self, experience):
        print("hello from a plugin")
        means = self.context.class_means(experience)
        old = [] if self.prototypes is None else [self.prototypes]
        self.prototypes = torch.cat([*old, means])

    def scores(self, x):
        return -torch.cdist(x, self.prototypes)


@hookimpl
def cilsim_register_strategies(register):
    register("mine", Mine, serves=("class_incremental",))
"""


def plugin_file(folder: Path, name: str, text: str = PLUGIN) -> Path:
    path = folder / f"{name}.py"
    path.write_text(text)
    return path


def test_each_promise_is_a_line(cli: Command, tmp_path: Path) -> None:
    outcome = cli("plugin", "check", "mine", "--plugin", plugin_file(tmp_path, "kept_promises"))

    assert (outcome.code, outcome.out) == (0, PASSES)
    assert set(outcome.err.splitlines()) == {"hello from a plugin"}


def test_a_broken_promise_has_what_was_found_and_what_helps(cli: Command, tmp_path: Path) -> None:
    text = PLUGIN.replace("-torch.cdist(x, self.prototypes)", "torch.zeros(3)")
    outcome = cli("plugin", "check", "broken_promises", "--json", "--plugin",
                  plugin_file(tmp_path, "broken_promises", text))  # fmt: skip

    first, second, *_, last = outcome.document()
    assert outcome.code == 1
    assert first == {
        "kind": "strategy",
        "name": "mine",
        "promise": "runs",
        "state": "FAIL",
        "found": "plugin 'broken_promises' of this process: scores() of strategy 'mine', "
        "experience 0: it returned shape (3,), expected (24, 4)",
        "helps": "run a scenario of your own with --debug to see the traceback",
    }
    assert (second["promise"], second["state"]) == ("shapes", "SKIP")
    assert (last["promise"], last["state"]) == ("options documented", "PASS")


def test_an_unknown_name_is_the_user_s_to_mend(cli: Command) -> None:
    outcome = cli("plugin", "check", "nnmc")

    assert (outcome.code, outcome.out, outcome.err) == (
        2,
        "",
        "error: no plugin or strategy is named 'nnmc'; did you mean 'nmc'?\n",
    )


@pytest.mark.slow  # most of it is the import of torch
def test_it_needs_no_pytest() -> None:
    code = "import sys; sys.modules['pytest'] = None; import cilsim.testing.conformance"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
