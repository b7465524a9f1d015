"""How many classes there are, from features of which some are labelled.

Every method is a score of a number of clusters (`class_count_scores`) and a search for the best
(`class_count_search`). Axis letters: N unlabelled and L labelled samples, D features, C labelled
classes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import torch
from torch import Tensor

from cilsim.naming import did_you_mean
from cilsim.solvers.class_count_problem import bounds_for, labelled_samples, sample_rows
from cilsim.solvers.class_count_scores import (
    Problem,
    agreement,
    labelled_accuracy,
    mean_silhouette,
)
from cilsim.solvers.class_count_search import Memo, bisection, bounded, zoom
from cilsim.solvers.kmeans_arguments import check_features


@dataclass(frozen=True)
class ClassCountEstimate:
    """An estimate of the number of classes.

    Attributes:
        classes: the estimate, labelled classes included.
        evaluated: the score of every number that was looked at; higher is better.
        at_bound: whether the estimate is the smallest or the largest that could come out, so
            that the search has probably not found the best number.
    """

    classes: int
    evaluated: Mapping[int, float]
    at_bound: bool


@dataclass(frozen=True)
class Method:
    """An estimator.

    Attributes:
        score: of a number of clusters; higher is better.
        search: from a score and the bounds to the estimate.
        breaks_ties: of numbers whose score is within `NEARLY` of the best of all, this takes the
            highest; None leaves the search's answer.
        needs_samples: whether each labelled class must be there with several samples.
        reaches_upper: whether the search can end at the upper bound.
    """

    score: Callable[[Problem, int], float]
    search: Callable[[Memo, int, int], int]
    needs_samples: bool
    reaches_upper: bool = True
    breaks_ties: Callable[[Problem, int], float] | None = None


NEARLY = 0.01
"""Scores that are no farther apart count as equal: restarts of k-means differ by as much."""

METHODS: Mapping[str, Method] = MappingProxyType(
    {
        "published": Method(labelled_accuracy, bounded, True, reaches_upper=False),
        "bisection": Method(labelled_accuracy, bisection, True),
        "silhouette": Method(mean_silhouette, zoom, False),
        "agreement": Method(agreement, zoom, True, breaks_ties=mean_silhouette),
    }
)
"""`published` is Vaze et al. 2022 (GCD), `bisection` the other search of their code, `silhouette`
what Happy and tabular discovery use. `agreement` is our own, chosen on `digits` and `glyphs100`:
with labelled samples it came closer there on average; with prototypes it counts too many."""


def estimate_class_count(
    features_ND: Tensor,
    labelled_LD: Tensor,
    class_ids_L: Tensor,
    *,
    method: str = "agreement",
    at_most: int,
    at_least: int | None = None,
    generator: torch.Generator,
    spread: float | Tensor | None = None,
    disjoint: bool = False,
    n_init: int = 3,
    max_iterations: int = 100,
) -> ClassCountEstimate:
    """Return an estimate of how many classes the samples come from, labelled classes included.

    GCD passes L2-normalised features of the pretrained backbone. Where only prototypes of the
    labelled classes are left, pass them as one labelled row per class together with `spread`:
    samples are drawn around them and stand for the class. `silhouette` uses no labels and takes
    prototypes as they are. Without unlabelled samples the answer is the number of labelled
    classes.

    Args:
        features_ND: (N, D) unlabelled features.
        labelled_LD: (L, D) labelled features, or one prototype per class.
        class_ids_L: (L,) their class ids, which need not be contiguous.
        method: one of `METHODS`.
        at_most: largest number of classes considered; never more than there are samples.
        at_least: smallest one; by default the number of labelled classes (2 for `silhouette`).
        generator: a CPU generator; the same one gives the same estimate on every device.
        spread: standard deviation of each feature around a prototype: one for all, or (C, D) in
            ascending order of class ids.
        disjoint: whether no unlabelled sample is of a labelled class (novel class discovery);
            `silhouette` then clusters the unlabelled samples alone.
        n_init: restarts of k-means for each number; scikit-learn's, as published, has 1.
        max_iterations: of each restart.

    Raises:
        ValueError: the method is unknown, the arguments do not fit each other, features are not
            finite, or a method that counts on labelled samples has one or none of a class.
    """
    if method not in METHODS:
        raise ValueError(f"no estimator is named '{method}'{did_you_mean(method, METHODS)}")
    chosen = METHODS[method]
    check_features(features_ND, labelled_LD, class_ids_L)
    ids_C, classes_L = torch.unique(class_ids_L, return_inverse=True)
    if not len(features_ND) and len(ids_C):
        return ClassCountEstimate(len(ids_C), {}, at_bound=False)
    seed = int(torch.randint(2**62, (1,), generator=generator))
    if chosen.needs_samples:
        labelled_LD, classes_L = labelled_samples(labelled_LD, classes_L, spread, seed, method)
    aside = len(ids_C) if disjoint and not chosen.needs_samples else 0
    if aside:
        labelled_LD, classes_L = labelled_LD[:0], classes_L[:0]
    rows = len(labelled_LD) + len(features_ND)
    floor = 1 if chosen.needs_samples else 2
    low, high = bounds_for(rows, len(ids_C), at_least, at_most, aside, floor)
    problem = Problem(
        labelled_LD,
        classes_L,
        features_ND,
        seed,
        n_init,
        max_iterations,
        sample_rows(rows, seed),
    )
    score = Memo(lambda clusters: chosen.score(problem, clusters))
    found = chosen.search(score, low, high)
    if chosen.breaks_ties is not None:
        found = _among_equals(score.values, problem, chosen.breaks_ties)
    largest = high if chosen.reaches_upper or high - low < 2 else high - 1
    return ClassCountEstimate(
        classes=found + aside,
        evaluated={number + aside: score.values[number] for number in sorted(score.values)},
        at_bound=found in (low, largest),
    )


def _among_equals(
    scores: Mapping[int, float], problem: Problem, breaks_ties: Callable[[Problem, int], float]
) -> int:
    best = max(scores.values())
    equals = sorted(number for number, score in scores.items() if score >= best - NEARLY)
    return equals[0] if len(equals) == 1 else max(equals, key=lambda it: breaks_ties(problem, it))
