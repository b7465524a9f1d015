"""From a scenario to the plan of its stream, without torch and without reading an image."""

from __future__ import annotations

from cilsim.data.dataset import DataFacts
from cilsim.plugins import Plugins
from cilsim.records import StreamInfo
from cilsim.registry import load_target
from cilsim.scenario.class_order import class_ids_in_file
from cilsim.scenario.schema import Scenario
from cilsim.streams.class_order import natural_order, seeded_order
from cilsim.streams.plan import StreamPlan


def data_facts(scenario: Scenario, plugins: Plugins) -> DataFacts:
    """Return the facts about the scenario's data set.

    Raises:
        DataError: the data set is missing or damaged.
    """
    choice = scenario.stream.dataset
    entry = plugins.registries.datasets[choice.name]
    facts: DataFacts = load_target(entry.facts["facts"], entry)(choice.options)
    return facts


def class_order(scenario: Scenario, facts: DataFacts) -> tuple[int, ...]:
    """Return the class ids in stream order."""
    choice = scenario.class_order
    if choice.ids is not None:
        return choice.ids
    if choice.file is not None:
        return class_ids_in_file(choice.file)
    if choice.seed is not None:
        return seeded_order(facts.class_ids, choice.seed)
    return natural_order(facts.class_ids)


def plan_stream(
    scenario: Scenario, plugins: Plugins, seed: int, facts: DataFacts | None = None
) -> tuple[StreamPlan, StreamInfo]:
    """Return the plan of the stream for a training seed, and the facts that anybody may know."""
    known = data_facts(scenario, plugins) if facts is None else facts
    entry = plugins.registries.streams[scenario.stream.kind]
    order = class_order(scenario, known)
    plan: StreamPlan = entry.load()(scenario.stream.options, known, order, seed)
    return plan, plan.info(scenario.stream.dataset.name, known)
