from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from cilsim.data.dataset import DataFacts
from cilsim.errors import ScenarioError
from cilsim.plugins import discover
from cilsim.scenario.domain_options import DomainIncrementalOptions
from cilsim.scenario.feasibility import feasibility_problems
from cilsim.scenario.load import load_text
from cilsim.scenario.stream_options import DoesNotFit
from cilsim.streams.domain_incremental import domain_incremental
from cilsim.streams.plan import StreamPlan

# class 0 0 1 1 0 1 0 of sessions 2 0 1 0 1 2 2; session 3 is in the test part alone
FACTS = DataFacts(
    class_ids=(0, 1),
    class_names=("ant", "bee"),
    y_train=np.array([0, 0, 1, 1, 0, 1, 0]),
    y_test=np.array([1, 0, 0, 1, 1]),
    sample_shape=(2,),
    domain_train=np.array([2, 0, 1, 0, 1, 2, 2]),
    domain_test=np.array([0, 1, 3, 2, 0]),
    domain_names=("s0", "s1", "s2", "s3"),
)


def planned(facts: DataFacts = FACTS, order: tuple[int, ...] = (0, 1), **given: Any) -> StreamPlan:
    return domain_incremental(DomainIncrementalOptions(**given), facts, order, seed=0)


def parts(plan: StreamPlan, part: str) -> list[list[int]]:
    return [getattr(experience, part).tolist() for experience in plan.experiences]


def test_each_experience_has_the_samples_of_its_domain() -> None:
    plan = planned()
    assert parts(plan, "labelled") == [[1, 3], [2, 4], [0, 5, 6]]
    assert parts(plan, "test") == [[0, 4], [1], [3]]
    assert parts(plan, "unlabelled") == [[], [], []]


def test_experience_0_brings_all_classes_and_later_ones_none() -> None:
    plan = planned(order=(1, 0))
    assert [experience.new_labels for experience in plan.experiences] == [(0, 1), (), ()]
    assert plan.class_order == (1, 0)


def test_domains_come_in_the_order_in_which_they_are_listed() -> None:
    plan = planned(domains=["s2", "s0"])
    assert parts(plan, "labelled") == [[0, 5, 6], [1, 3]]
    assert [experience.name for experience in plan.experiences] == ["s2", "s0"]


def test_an_experience_may_have_several_domains() -> None:
    plan = planned(domains=["s2", "s0"], domains_per_experience=2)
    assert parts(plan, "labelled") == [[0, 1, 3, 5, 6]]
    assert plan.experiences[0].name == "s2 to s0"


def test_a_fixed_test_set_belongs_to_experience_0_and_its_domains_are_not_learnt() -> None:
    plan = planned(test={"fixed": ["s3", "s1"]})
    assert parts(plan, "test") == [[1, 2], []]
    assert parts(plan, "labelled") == [[1, 3], [0, 5, 6]]
    info = plan.info("pets", FACTS)
    assert (info.repeats_classes, info.one_test_part) == (True, True)


def test_a_domain_may_be_learnt_and_in_the_fixed_test_set_if_both_say_so() -> None:
    plan = planned(domains=["s0", "s1"], test={"fixed": ["s1"]})
    assert parts(plan, "labelled") == [[1, 3], [2, 4]]


def test_facts_of_the_stream_say_that_classes_come_again() -> None:
    info = planned().info("pets", FACTS)
    assert [experience.seen for experience in info.experiences] == [2, 2, 2]
    assert [experience.test for experience in info.experiences] == [2, 1, 1]
    assert (info.repeats_classes, info.one_test_part) == (True, False)


def test_a_single_experience_repeats_nothing() -> None:
    info = planned(domains=["s0"]).info("pets", FACTS)
    assert (info.repeats_classes, info.one_test_part) == (False, False)


@pytest.mark.parametrize(
    ("given", "protocol"),
    [
        ({}, "2 classes, 1 of 3 domains per experience"),
        (
            {"test": {"fixed": ["s3", "s1"]}},
            "2 classes, 1 of 2 domains per experience, fixed test: s3, s1",
        ),
    ],
    ids=["own", "fixed"],
)
def test_protocol(given: dict[str, Any], protocol: str) -> None:
    assert planned(**given).protocol == protocol


def test_domains_without_names_are_called_by_their_numbers() -> None:
    assert planned(domains=["s1"]).experiences[0].name == "s1"
    numbered = DataFacts(**{**vars(FACTS), "domain_names": ("0", "4", "7", "9")})
    assert planned(numbered, domains=[4, 7]).experiences[1].name == "7"


NO_DOMAINS = DataFacts(FACTS.class_ids, FACTS.class_names, FACTS.y_train, FACTS.y_test, (2,))


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"domains": ["s0", "ss2"]}, ("domains", "pets has no domain 'ss2'; did you mean 's2'?")),
        (
            {"domains": ["loud"]},
            ("domains", "pets has no domain 'loud'; known: s0, s1, s2, s3"),
        ),
        ({"domains": ["s3"]}, ("domains", "domain 's3' of pets has no training samples")),
        (
            {"test": {"fixed": ["out"]}},
            ("test.fixed", "pets has no domain 'out'; known: s0, s1, s2, s3"),
        ),
        (
            {"domains_per_experience": 2},
            (
                "domains_per_experience",
                "3 domains of pets cannot be spread evenly over experiences of 2",
            ),
        ),
        (
            {"test": {"fixed": ["s0", "s1", "s2"]}},
            ("test.fixed", "it leaves no domain of pets to learn from"),
        ),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else None,
)
def test_what_the_data_set_does_not_have_is_told(
    given: dict[str, Any], problem: tuple[str, str]
) -> None:
    options = DomainIncrementalOptions(**given)
    assert feasibility_problems("domain_incremental", options, FACTS, "pets") == [problem]


def test_a_data_set_without_domains_is_refused() -> None:
    problems = feasibility_problems(
        "domain_incremental", DomainIncrementalOptions(), NO_DOMAINS, "pets"
    )
    assert problems == [
        (
            "dataset",
            "pets does not say from which domain a sample is; glyphs100 does, and an .npz file "
            "with domain_train and domain_test",
        )
    ]


def test_a_class_must_begin_in_experience_0() -> None:
    late = DataFacts(
        **{**vars(FACTS), "class_ids": (0, 1, 2, 3), "class_names": ("ant", "bee", "cow", "dog")}
    )
    problems = feasibility_problems("domain_incremental", DomainIncrementalOptions(), late, "pets")
    assert problems == [
        (
            "domains",
            "all classes begin in experience 0, whose domain 's0' of pets has no training sample "
            "of class 'cow' and 1 more; more domains per experience or another first domain may "
            "have",
        )
    ]


def test_own_test_parts_need_test_samples() -> None:
    untested = DataFacts(**{**vars(FACTS), "domain_test": np.array([0, 1, 3, 0, 0])})
    problems = feasibility_problems(
        "domain_incremental", DomainIncrementalOptions(), untested, "pets"
    )
    assert problems == [
        (
            "test",
            "pets has no test sample of domain 's2'; 'test: {fixed: [...]}' tests on other domains",
        )
    ]


def test_a_fixed_test_set_needs_test_samples() -> None:
    untested = DataFacts(**{**vars(FACTS), "domain_test": np.array([0, 1, 3, 0, 0])})
    options = DomainIncrementalOptions(test={"fixed": ["s2"]})
    problems = feasibility_problems("domain_incremental", options, untested, "pets")
    assert problems == [("test.fixed", "pets has no test sample of domain 's2'")]


def test_planning_refuses_what_the_check_refuses() -> None:
    message = "domain 's3' of {dataset} has no training samples"
    with pytest.raises(DoesNotFit, match=f"^{re.escape(message)}$"):
        planned(domains=["s3"])


def complaints(text: str) -> list[str]:
    with pytest.raises(ScenarioError) as caught:
        load_text(text, "scen.yaml", discover().registries)
    return [str(problem).splitlines()[0] for problem in caught.value.problems]


def test_a_scenario_is_told_where_its_mistake_is() -> None:
    text = "stream: {kind: dil, dataset: glyphs100, domains: [sans-bolt]}\nstrategy: nmc\n"
    assert complaints(text) == [
        "scen.yaml:1:50: stream.domains: glyphs100 has no domain 'sans-bolt'; did you mean "
        "'sans-bold'?"
    ]


def test_a_strategy_that_needs_new_classes_is_refused() -> None:
    text = "stream: {kind: dil, dataset: glyphs100}\nstrategy: teen\n"
    (complaint,) = complaints(text)
    assert complaint.startswith(
        "scen.yaml:2:11: strategy: strategy 'teen' serves labelled streams whose experiences "
        "bring new classes, not domain_incremental; strategies that fit: "
    )
    fitting = complaint.rpartition(": ")[2].split(", ")
    assert {"finetune", "joint", "nmc", "ranpac", "slda"} <= set(fitting)
    assert "teen" not in fitting


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"domains": ["a", "b", "a"]}, "domains: domain 'a' is there twice"),
        ({"test": {"fixed": ["a", "a"]}}, "test.fixed: domain 'a' is there twice"),
    ],
    ids=["domains", "fixed"],
)
def test_a_domain_that_is_there_twice_is_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"Value error, {re.escape(message)} "):
        DomainIncrementalOptions(**given)


def test_the_training_seed_changes_nothing() -> None:
    plans = [domain_incremental(DomainIncrementalOptions(), FACTS, (0, 1), seed) for seed in (0, 1)]
    assert plans[0].digest() == plans[1].digest()
