"""Loads a sweep file: every scenario with every combination is checked before anything runs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from cilsim.errors import CilsimError, Problem, ScenarioError
from cilsim.registry import Registries
from cilsim.scenario.explain import validate
from cilsim.scenario.findings import Findings
from cilsim.scenario.load import default_name, load_scenario
from cilsim.scenario.nodes import Node
from cilsim.scenario.origin import Origin
from cilsim.scenario.reading import read_text
from cilsim.scenario.schema import Scenario
from cilsim.scenario.yaml_source import parse
from cilsim.sweep.cell import Cell
from cilsim.sweep.file_model import SweepFile, seconds_in
from cilsim.sweep.grid import Variant, cell_name, variants

MOST_CELLS = 100_000
OWN_KEYS = {"name": "name", "strategy": "strategies", "strategies": "strategies", "seeds": "seeds"}
"""Keys of a scenario that a sweep has keys of its own for."""


@dataclass(frozen=True)
class Sweep:
    """A checked sweep.

    Attributes:
        name: of the folder of its runs.
        cells: every run, in the order in which they are started: those of one strategy stand
            together, so that trainings that others wait for begin first.
        retries: how often a run that failed or was lost is started again.
        timeout: seconds that one attempt may take, None for ever.
    """

    name: str
    cells: tuple[Cell, ...]
    retries: int
    timeout: int | None


def load_sweep(path: Path, registries: Registries) -> Sweep:
    """Return the checked sweep of a file.

    Raises:
        ScenarioError: every problem of the file, of its scenarios and of their combinations.
    """
    return _Loader(path, registries).load()


@dataclass
class _Loader:
    """The state of loading one file."""

    path: Path
    registries: Registries
    findings: Findings = field(default_factory=Findings)
    problems: list[Problem] = field(default_factory=list)

    def load(self) -> Sweep:
        root = self._root()
        file = validate(SweepFile, root, self.findings)
        self._refuse_own_keys(root)
        self.findings.raise_if_any()
        assert file is not None  # else there was a problem
        combinations = variants(root.child("set"))
        self._refuse_too_many(root, file, combinations)
        loaded = list(self._scenarios(root, file, combinations))
        self._refuse_equal_names(root, loaded)
        self._raise_if_any()
        cells = tuple(_cells(loaded, file.seeds))
        timeout = None if file.timeout is None else seconds_in(file.timeout)
        return Sweep(file.name or default_name(str(self.path)), cells, file.retries, timeout)

    def _root(self) -> Node:
        root = parse(Origin(str(self.path), read_text(self.path), self.path.parent), self.findings)
        if root is not None and not root.is_mapping:
            message = f"expected keys and values such as 'scenarios: [...]', found {root.found()}"
            self.findings.add(root.mark, "", message)
        self.findings.raise_if_any()
        assert root is not None  # else there was a problem
        return root

    def _refuse_own_keys(self, root: Node) -> None:
        grid = root.child("set")
        for key, node in ({} if grid is None else grid.fields).items():
            if key in OWN_KEYS:
                own = OWN_KEYS[key]
                message = f"cannot be set; '{own}' is a key of the sweep itself"
                self.findings.add(node.section_mark, node.dotted, message)
            elif node.is_list and not node.items:
                self.findings.add(node.mark, node.dotted, "expected at least 1 entry, found 0")

    def _refuse_too_many(
        self, root: Node, file: SweepFile, combinations: Sequence[Variant]
    ) -> None:
        least = len(file.scenarios) * len(combinations)
        if least > MOST_CELLS:
            message = f"{least:,} combinations; a sweep has at most {MOST_CELLS:,} runs"
            self.findings.add(root.section_mark, "set", message)
        self.findings.raise_if_any()

    def _scenarios(
        self, root: Node, file: SweepFile, combinations: Sequence[Variant]
    ) -> Iterator[tuple[Variant, Scenario]]:
        listed = root.child("scenarios")
        assert listed is not None  # the model requires it
        for node in listed.items:
            for variant in combinations:
                scenario = self._scenario(root, node, variant)
                if scenario is not None:
                    yield variant, scenario

    def _scenario(self, root: Node, node: Node, variant: Variant) -> Scenario | None:
        path = self.path.parent / str(node.value)
        overrides = [setting.override for setting in variant]
        strategies = root.child("strategies")
        if strategies is not None:
            overrides.insert(0, f"strategies={json.dumps(strategies.plain())}")
        try:
            return load_scenario(path, self.registries, overrides)
        except ScenarioError as error:
            for problem in error.problems:
                self._take(problem, root, node, path, variant)
        except CilsimError as error:  # such as data that is not there
            self.problems.append(Problem(str(path), "", str(error)))
        return None

    def _take(
        self, problem: Problem, root: Node, scenario: Node, path: Path, variant: Variant
    ) -> None:
        """Note a complaint about a scenario; one about a value of the sweep, where that stands."""
        setting = {setting.place: setting for setting in variant}.get(problem.where)
        if setting is not None:
            message = f"{path}: {problem.message}"
            self.findings.add(setting.node.mark, f"set.{setting.key}", message)
        elif problem.where.startswith("--set strategies="):
            node = _deepest(root, problem.path.split("."))
            self.findings.add(node.section_mark, problem.path, problem.message)
        elif problem.where == str(path):  # the file as a whole
            self.findings.add(scenario.mark, scenario.dotted, f"{path}: {problem.message}")
        else:
            self.problems.append(problem)

    def _refuse_equal_names(self, root: Node, loaded: Sequence[tuple[Variant, Scenario]]) -> None:
        first: dict[str, Path | None] = {}
        listed = root.child("scenarios")
        assert listed is not None  # the model requires it
        nodes = {self.path.parent / str(node.value): node for node in listed.items}
        for _, scenario in loaded:
            path = scenario.source.path
            other = first.setdefault(scenario.name, path)
            if other != path and path is not None:
                message = (
                    f"the name '{scenario.name}' is that of {other}; "
                    "give one of them another 'name'"
                )
                self.findings.add(nodes[path].mark, nodes[path].dotted, message)

    def _raise_if_any(self) -> None:
        """Raise what was found in the sweep file, then what was found in scenario files."""
        own: Sequence[Problem] = ()
        try:
            self.findings.raise_if_any()
        except ScenarioError as error:
            own = error.problems
        problems = [*own, *dict.fromkeys(self.problems)]
        if problems:
            raise ScenarioError(problems)


def _deepest(node: Node, path: Sequence[str]) -> Node:
    for part in path:
        child = node.child(int(part) if part.isdigit() and node.is_list else part)
        if child is None:
            break
        node = child
    return node


def _cells(
    loaded: Sequence[tuple[Variant, Scenario]], seeds: int | tuple[int, ...] | None
) -> Iterator[Cell]:
    """Yield every cell: for each place in the lists of strategies, all variants and seeds."""
    number = 0
    most = max(len(scenario.strategies) for _, scenario in loaded)
    own = (seeds,) if isinstance(seeds, int) else seeds
    for place in range(most):
        for variant, scenario in loaded:
            for choice in scenario.strategies[place : place + 1]:
                for seed in own or scenario.seeds:
                    name = cell_name(scenario.name, variant, choice.label, seed)
                    single = replace(
                        scenario, name=name, strategies=(choice,), seeds=(seed,), published=()
                    )
                    settings = {setting.key: setting.value for setting in variant}
                    yield Cell(number, name, single, scenario.name, settings)
                    number += 1
