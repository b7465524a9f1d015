"""What each printed metric means, in one line with its source, for reports and their readers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

DEFINITIONS: Mapping[str, str] = {
    "A_all": "accuracy over the test samples of all classes seen so far",
    "A_base": "mean over the classes of experience 0 of their accuracy, among all classes seen",
    "A_novel": "mean over the classes of later experiences of their accuracy, among all seen",
    "A_old": "accuracy on samples of the classes seen before the present experience; "
    "on a discovery stream, of the old classes",
    "A_new": "accuracy on samples of the classes that are new in the present experience; "
    "on a discovery stream, of the new classes",
    "A_hm": "harmonic mean 2ab/(a+b) of the accuracies of the two groups of classes",
    "A_avg_inc": "average incremental accuracy: mean of A_all over the experiences so far, "
    "base included (Rebuffi et al. 2017)",
    "A_avg_inc_by_experience": "the same with the mean over experiences in place of A_all",
    "forgetting": "best earlier accuracy minus the present one, mean over old experiences "
    "(Chaudhry et al. 2018)",
    "bwt": "backward transfer: present accuracy minus that right after learning, mean over old "
    "experiences (Lopez-Paz and Ranzato 2017)",
    "performance_drop": "A_all after experience 0 minus A_all now (Tao et al. 2020)",
    "novel_to_base_rate": "share of novel samples that are predicted as a base class",
    "base_to_novel_rate": "share of base samples that are predicted as a novel class",
    "intransigence": "accuracy of joint training minus own accuracy on the new classes "
    "(Chaudhry et al. 2018)",
    "nmi": "normalised mutual information of clusters and classes",
    "ari": "adjusted Rand index of clusters and classes (Hubert and Arabie 1985)",
    "clusters": "number of clusters in use",
}

INTERVALS = (
    "± is the half width of the 95 % interval of the mean over seeds (Student's t). "
    "With n = 1 there is none; below n = 3 it says little."
)
MATCHING = (
    "On a discovery stream clusters are matched to classes once, over all samples (Hungarian)."
)


def define(metrics: Iterable[str]) -> list[tuple[str, str]]:
    """Return (metric, definition) for those that have one, in the order given."""
    return [(metric, DEFINITIONS[metric]) for metric in metrics if metric in DEFINITIONS]
