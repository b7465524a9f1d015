"""Every metric that a run writes: what `cilsim list metrics`, docs and reports say about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True)
class MetricName:
    """How to speak of a metric.

    Attributes:
        title: a few words for a table head or a chart.
        definition: one line.
        source: who defined it, or where it is used as here.
        higher_is_better: None where neither direction is good in itself.
        percent: whether reports print it times 100.
    """

    title: str
    definition: str
    source: str
    higher_is_better: bool | None = True
    percent: bool = True


_ICARL = "Rebuffi et al. 2017 (iCaRL)"
_RWALK = "Chaudhry et al. 2018 (Riemannian Walk)"
_GEM = "Lopez-Paz and Ranzato 2017 (GEM)"
_FACT = "Zhou et al. 2022 (FACT)"
_HAPPY = "Ma et al. 2024 (Happy)"
_TEEN = "Wang et al. 2023 (TEEN)"
_CKA = "Kornblith et al. 2019 (CKA); Nguyen et al. 2021 (in minibatches)"

METRICS: Mapping[str, MetricName] = MappingProxyType(
    {
        "A_all": MetricName(
            "accuracy, all", "top-1 over all test samples of the classes seen so far", _ICARL
        ),
        "A_base": MetricName(
            "accuracy, base", "mean recall of the classes of experience 0, among all seen", _FACT
        ),
        "A_novel": MetricName(
            "accuracy, novel",
            "mean recall of the classes of later experiences, among all seen",
            _FACT,
        ),
        "A_old": MetricName(
            "accuracy, old",
            "over test samples of classes seen before this experience",
            "Vaze et al. 2022 (GCD); Ma et al. 2024 (Happy) for stages",
        ),
        "A_new": MetricName(
            "accuracy, new",
            "over test samples of classes that are new in this experience",
            "Vaze et al. 2022 (GCD); Ma et al. 2024 (Happy) for stages",
        ),
        "A_hm": MetricName("harmonic mean", "2 b n / (b + n) of A_base and A_novel", _TEEN),
        "A_avg_inc": MetricName(
            "average incremental accuracy",
            "mean of A_all over experiences 0..i, base included",
            _ICARL,
        ),
        "A_avg_inc_by_experience": MetricName(
            "average incremental accuracy, by experience",
            "mean over l <= i of the mean over j <= l of R[l, j]",
            "as in PASS and FACIL",
        ),
        "forgetting": MetricName(
            "forgetting",
            "mean over j < i of max over j <= l < i of R[l, j], minus R[i, j]",
            _RWALK,
            higher_is_better=False,
        ),
        "bwt": MetricName("backward transfer", "mean over j < i of R[i, j] - R[j, j]", _GEM),
        "performance_drop": MetricName(
            "performance drop",
            "A_all after experience 0 minus A_all now",
            "Tao et al. 2020 (TOPIC)",
            higher_is_better=False,
        ),
        "novel_to_base_rate": MetricName(
            "novel called base",
            "share of test samples of novel classes that are predicted as a base class",
            _TEEN,
            higher_is_better=False,
        ),
        "base_to_novel_rate": MetricName(
            "base called novel",
            "share of test samples of base classes that are predicted as a novel class",
            _TEEN,
            higher_is_better=False,
        ),
        "intransigence": MetricName(
            "intransigence",
            "R[i, i] of a jointly trained reference minus the own R[i, i]",
            _RWALK,
            higher_is_better=False,
        ),
        "accuracy_by_experience": MetricName(
            "accuracy on experience", "R[i, j]: on the test part of experience j", _GEM
        ),
        "forgetting_by_experience": MetricName(
            "forgetting of experience",
            "max over j <= l < i of R[l, j], minus R[i, j]",
            _RWALK,
            higher_is_better=False,
        ),
        "representation_similarity": MetricName(
            "representation similarity",
            "linear CKA of features before and after this experience, test samples of earlier ones",
            _CKA,
            higher_is_better=None,
        ),
        "representation_similarity_by_experience": MetricName(
            "representation similarity, by experience",
            "the same over the test part of experience j",
            _CKA,
            higher_is_better=None,
        ),
        "nmi": MetricName(
            "normalised mutual information",
            "mutual information of clusters and classes over the mean of their entropies",
            "Strehl and Ghosh 2002, arithmetic mean",
            percent=False,
        ),
        "ari": MetricName(
            "adjusted Rand index",
            "agreement over pairs of samples, corrected for chance",
            "Hubert and Arabie 1985",
            percent=False,
        ),
        "purity": MetricName(
            "purity",
            "share of samples that belong to the largest class of their cluster, without matching",
            "Manning et al. 2008, section 16.3",
        ),
        "M_f": MetricName(
            "maximal forgetting",
            "max over stages t of the accuracy on labelled classes after stage 0 minus after t",
            _HAPPY,
            higher_is_better=False,
        ),
        "M_d": MetricName(
            "discovery",
            "mean over stages of the accuracy on the classes that are new in the stage",
            _HAPPY,
        ),
        "transductive": MetricName(
            "on unlabelled samples",
            "the metric after the slash, over the unlabelled samples just learnt, matched once",
            "Vaze et al. 2022 (GCD)",
        ),
        "classes_found": MetricName(
            "classes found",
            "number of classes that the strategy tells apart, labelled ones included",
            "count",
            higher_is_better=None,
            percent=False,
        ),
        "classes_error": MetricName(
            "error of the number of classes",
            "number of classes that the strategy tells apart, minus those seen so far",
            "count",
            higher_is_better=None,
            percent=False,
        ),
        "clusters": MetricName(
            "clusters",
            "number of distinct cluster ids among the predictions",
            "count",
            higher_is_better=None,
            percent=False,
        ),
    }
)


def describe(name: str) -> MetricName | None:
    """Return what is known of a metric; `accuracy_by_experience/03` counts as its family."""
    return METRICS.get(name.partition("/")[0])
