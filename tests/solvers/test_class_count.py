from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from cilsim.solvers.class_count import METHODS, ClassCountEstimate, estimate_class_count
from cilsim.solvers.class_count_problem import MOST_FOR_SILHOUETTE, sample_rows
from cilsim.solvers.class_count_scores import Problem, agreement, labelled_accuracy

OLD, TRUE, EACH, SIZE, NOISE = 5, 9, 30, 16, 0.15


def draws(seed=0):
    return torch.Generator().manual_seed(seed)


def centres(seed=0):
    """Centres of `TRUE` separate classes, at a distance of sqrt(2)."""
    return torch.linalg.qr(torch.randn(SIZE, SIZE, generator=draws(seed))).Q[:TRUE]


def samples(labels, seed=0, part=0):
    noise = torch.randn(len(labels), SIZE, generator=draws(100 + 10 * seed + part))
    return centres(seed)[labels] + NOISE * noise


def discovery(seed=0):
    """Half of 5 classes labelled; unlabelled are the other half and 4 classes more."""
    labelled = torch.arange(OLD).repeat(EACH // 2)
    hidden = torch.cat([labelled, torch.arange(OLD, TRUE).repeat(EACH)])
    return samples(hidden, seed), samples(labelled, seed, part=1), labelled


@pytest.fixture
def line():
    """Two labelled classes around 0 and 10, four other samples at 0, 20, 20 and 1."""
    labelled = torch.tensor([[-1.0], [0.0], [1.0], [9.0], [10.0], [11.0]])
    other = torch.tensor([[0.0], [20.0], [20.0], [1.0]])
    classes = torch.tensor([0, 0, 0, 1, 1, 1])
    return Problem(labelled, classes, other, 0, 10, 100, torch.arange(10))


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("method", ["agreement", "silhouette"])
def test_separate_classes_are_counted(method, seed):
    features, labelled, ids = discovery(seed)
    found = estimate_class_count(
        features, labelled, ids, method=method, at_most=20, generator=draws()
    )
    assert found.classes == TRUE
    assert not found.at_bound
    assert found.evaluated[TRUE] >= max(found.evaluated.values()) - 0.01


@pytest.mark.parametrize("method", ["published", "bisection"])
def test_labelled_samples_alone_do_not_tell_how_many_separate_classes_there_are(method):
    features, labelled, ids = discovery()
    found = estimate_class_count(
        features, labelled, ids, method=method, at_most=20, generator=draws()
    )
    assert OLD <= found.classes <= 20
    assert found.evaluated[found.classes] == max(found.evaluated.values())
    assert found.evaluated[found.classes] == 1.0


def test_every_evaluation_is_of_one_whole_number_within_the_bounds():
    features, labelled, ids = discovery()
    found = estimate_class_count(features, labelled, ids, at_most=12, generator=draws())
    assert list(found.evaluated) == list(range(OLD, 13))
    assert found.classes == TRUE


@pytest.mark.parametrize("method", sorted(METHODS))
def test_equal_generators_give_equal_estimates(method):
    features, labelled, ids = discovery()
    first, second = (
        estimate_class_count(features, labelled, ids, method=method, at_most=14, generator=draws(3))
        for _ in range(2)
    )
    assert first == second


@pytest.mark.parametrize("method", sorted(METHODS))
def test_class_ids_are_only_names(method):
    features, labelled, ids = discovery()
    names = torch.tensor([40, 3, 17, 99, 8])
    plain, renamed = (
        estimate_class_count(
            features, labelled, chosen, method=method, at_most=12, generator=draws()
        )
        for chosen in (ids, names[ids])
    )
    assert plain.classes == renamed.classes
    assert plain.evaluated == pytest.approx(renamed.evaluated)


def test_an_estimate_at_the_largest_number_says_so():
    features, labelled, ids = discovery()
    found = estimate_class_count(features, labelled, ids, at_most=7, generator=draws())
    assert (found.classes, found.at_bound) == (7, True)


def test_an_estimate_at_the_smallest_number_says_so():
    features, labelled, ids = discovery()
    found = estimate_class_count(features, labelled, ids, at_least=9, at_most=20, generator=draws())
    assert (found.classes, found.at_bound) == (9, True)


def test_the_published_search_never_reaches_its_upper_bound():
    # one sample far away per labelled class: the more clusters, the better
    labelled = torch.tensor([[0.0], [1.0], [2.0], [3.0], [4.0], [5.0], [6.0], [7.0]])
    ids = torch.arange(4).repeat_interleave(2)
    features = torch.tensor([[1e4], [2e4], [3e4], [4e4], [5e4], [6e4]])
    found = estimate_class_count(
        features, labelled, ids, method="published", at_most=9, generator=draws()
    )
    assert (found.classes, found.at_bound) == (8, True)


def test_at_most_as_many_clusters_as_samples_are_tried():
    labelled = torch.tensor([[0.0], [0.1], [5.0], [5.1]])
    found = estimate_class_count(
        torch.tensor([[10.0]]), labelled, torch.tensor([0, 0, 1, 1]), at_most=1000,
        generator=draws(),
    )  # fmt: skip
    assert max(found.evaluated) == 5
    assert found.classes == 3


@pytest.mark.parametrize("method", sorted(METHODS))
def test_without_unlabelled_samples_the_labelled_classes_are_all(method):
    _, labelled, ids = discovery()
    found = estimate_class_count(
        labelled[:0], labelled, ids, method=method, at_most=20, generator=draws()
    )
    assert found == ClassCountEstimate(OLD, {}, at_bound=False)


def test_one_labelled_class_suffices():
    features, labelled, ids = discovery()
    only = ids == 0
    found = estimate_class_count(features, labelled[only], ids[only], at_most=14, generator=draws())
    assert min(found.evaluated) == 1
    assert TRUE <= found.classes <= TRUE + 1


def test_without_labels_the_silhouette_counts_alone():
    features, labelled, ids = discovery()
    found = estimate_class_count(
        features, labelled[:0], ids[:0], method="silhouette", at_most=14, generator=draws()
    )
    assert found.classes == TRUE
    assert min(found.evaluated) == 2


def test_disjoint_classes_are_counted_among_the_unlabelled_alone():
    novel = samples(torch.arange(OLD, TRUE).repeat(EACH))
    _, labelled, ids = discovery()
    found = estimate_class_count(
        novel, labelled, ids, method="silhouette", at_most=14, generator=draws(), disjoint=True
    )
    assert found.classes == TRUE
    assert list(found.evaluated) == list(range(OLD + 2, 15))


class TestPrototypes:
    def test_samples_around_prototypes_stand_for_the_classes(self):
        features, _, _ = discovery()
        prototypes = centres()[:OLD]
        found = estimate_class_count(
            features,
            prototypes,
            torch.arange(OLD),
            at_most=12,
            generator=draws(),
            spread=NOISE,
        )
        assert found.classes == TRUE

    def test_each_class_may_have_its_own_spread(self):
        features, _, _ = discovery()
        prototypes, ids = centres()[:OLD], torch.arange(OLD)
        one, own = (
            estimate_class_count(
                features, prototypes, ids, at_most=12, generator=draws(), spread=spread
            )
            for spread in (NOISE, torch.full((OLD, SIZE), NOISE))
        )
        assert one == own

    def test_the_order_of_prototypes_does_not_matter(self):
        features, _, _ = discovery()
        prototypes, ids = centres()[:OLD], torch.arange(OLD)
        order = torch.tensor([3, 0, 4, 1, 2])
        one, other = (
            estimate_class_count(
                features, prototypes[rows], ids[rows], at_most=12, generator=draws(), spread=NOISE
            )
            for rows in (ids, order)
        )
        assert one == other

    def test_the_silhouette_takes_them_as_they_are(self):
        features, _, _ = discovery()
        found = estimate_class_count(
            features,
            centres()[:OLD],
            torch.arange(OLD),
            method="silhouette",
            at_most=14,
            generator=draws(),
        )
        assert found.classes == TRUE


class TestScores:
    def test_joining_an_unlabelled_class_costs_labelled_accuracy_nothing(self, line):
        assert labelled_accuracy(line, 2) == 1.0
        assert labelled_accuracy(line, 3) == 1.0

    def test_agreement_sees_it(self, line):
        # with two clusters both samples at 20 are put with the class around 10, whose radius is 1
        assert agreement(line, 2) == pytest.approx((1.0 + 2 / 4) / 2)
        assert agreement(line, 3) == 1.0

    def test_splitting_a_labelled_class_costs_both_scores(self, line):
        assert labelled_accuracy(line, 10 - 2) < 1.0
        assert agreement(line, 10 - 2) < 1.0

    def test_scores_are_equal_at_every_call(self, line):
        assert agreement(line, 5) == agreement(line, 5)


def test_a_silhouette_is_taken_on_a_sample_of_many_rows():
    few, many = sample_rows(10, 0), sample_rows(MOST_FOR_SILHOUETTE + 1, 0)
    assert few.tolist() == list(range(10))
    assert len(many.unique()) == MOST_FOR_SILHOUETTE
    assert torch.equal(many, sample_rows(MOST_FOR_SILHOUETTE + 1, 0))


@given(st.integers(0, 1000), st.integers(1, 4), st.integers(1, 12))
@settings(deadline=None, max_examples=15)
def test_any_features_give_an_estimate_within_the_bounds(seed, classes, unlabelled):
    ids = torch.arange(classes).repeat(2)
    labelled = torch.randint(-3, 4, (len(ids), 2), generator=draws(seed)).float()
    features = torch.randint(-3, 4, (unlabelled, 2), generator=draws(seed + 1)).float()
    for method in METHODS:
        found = estimate_class_count(
            features, labelled, ids, method=method, at_most=classes + 2, generator=draws()
        )
        assert max(classes, 1) <= found.classes <= classes + 2
        assert all(-1.0 <= value <= 1.0 for value in found.evaluated.values())


FEATURES, LABELLED, IDS = torch.zeros(4, 2), torch.zeros(4, 2), torch.tensor([0, 0, 1, 1])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"method": "agrement"}, "no estimator is named 'agrement'; did you mean 'agreement'?"),
        (
            {"at_least": 1},
            "at_least=1 for 2 labelled classes; expected at least as many",
        ),
        ({"at_most": 1}, "at_most=1 and at_least=2; expected at_most to be no less"),
        (
            {"at_least": 9, "at_most": 12},
            "8 samples for 9 to 12 clusters; expected at least one sample per cluster and a range "
            "to search",
        ),
        (
            {"class_ids_L": torch.tensor([0, 0, 0, 1])},
            "'agreement' finds 1 labelled samples of a class; expected at least 2, or prototypes "
            "with a spread, or the method 'silhouette', which needs no labels",
        ),
        (
            {"labelled_LD": LABELLED[:0], "class_ids_L": IDS[:0], "method": "published"},
            "'published' finds 0 labelled samples of a class; expected at least 2, or prototypes "
            "with a spread, or the method 'silhouette', which needs no labels",
        ),
        (
            {"spread": 0.1},
            "4 labelled rows of 2 classes come with a spread; expected one prototype per class",
        ),
        (
            {"labelled_LD": LABELLED[:2], "class_ids_L": IDS[1:3], "spread": torch.ones(2)},
            "spread has shape (2,); expected a number or (2, 2)",
        ),
        (
            {"labelled_LD": LABELLED[:2], "class_ids_L": IDS[1:3], "spread": -1.0},
            "spread is negative or not finite; expected standard deviations",
        ),
        (
            {"features_ND": torch.full((4, 2), torch.nan)},
            "features hold NaN or infinity; expected finite numbers",
        ),
        (
            {"labelled_LD": torch.zeros(4, 3)},
            "features, labelled features and class ids have shapes (4, 2), (4, 3) and (4,); "
            "expected (N, D), (L, D) and (L,)",
        ),
    ],
)
def test_what_cannot_be_estimated_is_refused(arguments, message):
    chosen = {
        "features_ND": FEATURES,
        "labelled_LD": LABELLED,
        "class_ids_L": IDS,
        "at_most": 5,
        "generator": draws(),
        **arguments,
    }
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the whole text is compared
        estimate_class_count(**chosen)
    assert str(caught.value) == message
