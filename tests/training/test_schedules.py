import math

import pytest

from cilsim.scenario.recipe import Recipe
from cilsim.training.schedules import learning_rate


def by_epoch(recipe: Recipe, steps: int = 4) -> list[float]:
    """The learning rate of each epoch, checked to be one for all its steps."""
    rates = []
    for epoch in range(recipe.epochs):
        (rate,) = {learning_rate(recipe, epoch, step, steps) for step in range(steps)}
        rates.append(rate)
    return rates


def by_step(recipe: Recipe, steps: int) -> list[float]:
    return [
        learning_rate(recipe, epoch, step, steps)
        for epoch in range(recipe.epochs)
        for step in range(steps)
    ]


def test_constant_stays_at_the_peak():
    assert by_epoch(Recipe(epochs=3, lr=0.3, schedule="constant")) == [0.3, 0.3, 0.3]


def test_cosine_follows_the_papers_formula_by_epoch():
    rates = by_epoch(Recipe(epochs=4, lr=0.2, schedule="cosine"))
    root_half = math.sqrt(0.5)
    assert rates == pytest.approx([0.2, 0.1 * (1 + root_half), 0.1, 0.1 * (1 - root_half)])


def test_cosine_by_step_divides_the_same_curve_finer():
    rates = by_step(Recipe(epochs=2, lr=0.2, schedule="cosine", schedule_interval="step"), 2)
    assert rates == pytest.approx(by_epoch(Recipe(epochs=4, lr=0.2, schedule="cosine")))


def test_step_multiplies_at_each_milestone():
    recipe = Recipe(epochs=6, lr=0.4, schedule="step", milestones=(2, 4), gamma=0.5)
    assert by_epoch(recipe) == [0.4, 0.4, 0.2, 0.2, 0.1, 0.1]


def test_one_cycle_rises_for_a_quarter_and_falls_without_touching_zero():
    rates = by_epoch(Recipe(epochs=7, lr=1.0, schedule="one_cycle"))
    assert rates == pytest.approx([0.5, 1.0, 5 / 6, 4 / 6, 3 / 6, 2 / 6, 1 / 6])


def test_one_cycle_by_step():
    recipe = Recipe(epochs=1, lr=1.0, schedule="one_cycle", schedule_interval="step")
    assert by_step(recipe, 7) == pytest.approx([0.5, 1.0, 5 / 6, 4 / 6, 3 / 6, 2 / 6, 1 / 6])


def test_warm_up_is_a_line_that_meets_the_peak_where_the_schedule_starts():
    recipe = Recipe(epochs=5, lr=0.3, schedule="cosine", warmup_epochs=2)
    assert by_epoch(recipe) == pytest.approx([0.1, 0.2, 0.3, 0.225, 0.075])


def test_warm_up_by_step_counts_steps():
    recipe = Recipe(
        epochs=2, lr=0.5, schedule="constant", warmup_epochs=1, schedule_interval="step"
    )
    assert by_step(recipe, 4) == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.5, 0.5, 0.5, 0.5])


def test_milestones_count_from_the_first_epoch_of_the_training():
    recipe = Recipe(epochs=4, lr=0.3, schedule="step", milestones=(3,), gamma=0.1, warmup_epochs=1)
    assert by_epoch(recipe) == pytest.approx([0.15, 0.3, 0.3, 0.03])


@pytest.mark.parametrize(
    ("epochs", "lr", "known"),
    [
        pytest.param(600, 0.1, {0: 0.1, 300: 0.05, 599: 0.05 * (1 - math.cos(math.pi / 600))}),
        pytest.param(1000, 0.1, {0: 0.1, 500: 0.05, 250: 0.05 * (1 + math.sqrt(0.5))}),
    ],
    ids=["teen-cifar100", "teen-mini-imagenet"],
)
def test_schedules_of_teen(epochs, lr, known):
    rates = by_epoch(Recipe(epochs=epochs, lr=lr, schedule="cosine"), steps=1)
    assert {epoch: rates[epoch] for epoch in known} == pytest.approx(known)


def test_schedule_of_teen_on_cub200():
    milestones = (50, 100, 150, 200, 250, 300)
    recipe = Recipe(epochs=400, lr=0.004, schedule="step", milestones=milestones, gamma=0.25)
    rates = by_epoch(recipe, steps=1)
    assert rates[49] == 0.004
    assert rates[50] == pytest.approx(0.001)
    assert rates[399] == pytest.approx(0.004 * 0.25**6)
