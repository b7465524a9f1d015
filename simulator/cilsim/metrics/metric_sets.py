"""Metric sets of other tools, for `cilsim report --metric-set NAME`.

Each takes the stored predictions and gives the tool's headline values, as fractions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from cilsim.metrics import class_incd, discovery_sets, variants
from cilsim.metrics.evaluate import EvaluatedValues, evaluate_predictions
from cilsim.metrics.forgetting import (
    average_incremental_accuracy,
    average_incremental_accuracy_by_experience,
    backward_transfer,
    forgetting,
)
from cilsim.naming import did_you_mean
from cilsim.records import Predictions, StreamInfo

Values = dict[str, float]
History = Sequence[Predictions]


@dataclass(frozen=True)
class MetricSet:
    """What a tool prints at the end of a run.

    Attributes:
        summary: one line on how it differs.
        compute: from the result after the last experience, the predictions after each, the stream
            and, if it uses them, the predictions of unlabelled samples.
        uses_unlabelled: whether it does.
    """

    summary: str
    compute: Callable[..., Values]
    uses_unlabelled: bool = False


def metric_set(
    name: str,
    history: Sequence[Predictions],
    stream: StreamInfo,
    unlabelled: Sequence[Predictions | None] = (),
) -> Values:
    """Return the values of a metric set after the last experience of `history`.

    Args:
        name: a name in `METRIC_SETS`.
        history: predictions after experiences 0..i.
        stream: facts about the stream.
        unlabelled: those of the unlabelled samples of experiences 0..i, for sets that use them.

    Raises:
        ValueError: no metric set has that name.
    """
    if name not in METRIC_SETS:
        raise ValueError(f"no metric set is named '{name}'{did_you_mean(name, METRIC_SETS)}")
    result = evaluate_predictions(history, stream)
    chosen = METRIC_SETS[name]
    extra = (unlabelled,) if chosen.uses_unlabelled else ()
    return chosen.compute(result, history, stream, *extra)


def _pycil(result: EvaluatedValues, history: History, stream: StreamInfo) -> Values:
    return {
        "A_last": result.accuracies[-1],
        "average_accuracy": average_incremental_accuracy(result.accuracies),
        "forgetting": variants.forgetting_over_all_rows(result.accuracy_matrix, result.experience),
    }


def _facil(result: EvaluatedValues, history: History, stream: StreamInfo) -> Values:
    matrix, after = result.accuracy_matrix, result.experience
    return {
        "avg_accs_tag": variants.last_accuracy_by_experience(matrix, after),
        "average_incremental": average_incremental_accuracy_by_experience(matrix, after),
        "forg_tag": forgetting(matrix, after),
    }


def _mammoth(result: EvaluatedValues, history: History, stream: StreamInfo) -> Values:
    matrix, after = result.accuracy_matrix, result.experience
    return {
        "accuracy": variants.last_accuracy_by_experience(matrix, after),
        "backward_transfer": backward_transfer(matrix, after),
        "forgetting": variants.forgetting_over_all_rows(matrix, after),
    }


def _avalanche(result: EvaluatedValues, history: History, stream: StreamInfo) -> Values:
    matrix, after = result.accuracy_matrix, result.experience
    return {
        "Top1_Acc_Stream": result.accuracies[-1],
        "StreamForgetting": variants.forgetting_since_learnt(matrix, after),
        "StreamBWT": backward_transfer(matrix, after),
    }


def _continuum(result: EvaluatedValues, history: History, stream: StreamInfo) -> Values:
    matrix, after = result.accuracy_matrix, result.experience
    return {
        "accuracy_A": variants.accuracy_over_all_pairs(matrix, after),
        "backward_transfer": variants.backward_transfer_continuum(matrix, after),
        "forgetting": variants.forgetting_continuum(matrix, after),
    }


def _libcontinual(result: EvaluatedValues, history: History, stream: StreamInfo) -> Values:
    matrix, after = result.accuracy_matrix, result.experience
    return {
        "batch_overall_accuracy": average_incremental_accuracy(result.accuracies),
        "task_overall_accuracy": average_incremental_accuracy_by_experience(matrix, after),
        "overall_forgetting": variants.forgetting_libcontinual(matrix, after),
        "overall_bwt": variants.backward_transfer_libcontinual(matrix, after),
    }


METRIC_SETS: Mapping[str, MetricSet] = MappingProxyType(
    {
        "pycil": MetricSet("pooled accuracies; forgetting against the best of all rows", _pycil),
        "facil": MetricSet("experiences weigh the same; forgetting as Chaudhry 2018", _facil),
        "mammoth": MetricSet("experiences weigh the same; forgetting as PyCIL", _mammoth),
        "avalanche": MetricSet("forgetting is just after learning minus now", _avalanche),
        "continuum": MetricSet("all pairs of experiences; adjacent ones left out", _continuum),
        "libcontinual": MetricSet("Continuum's forms, averaged over the run", _libcontinual),
        "gcd-v1": MetricSet("separate matchings of old and new samples", discovery_sets.gcd_v1),
        "gcd-v2": MetricSet("one matching over all samples", discovery_sets.gcd_v2),
        "gcd-balanced": MetricSet(
            "one matching, means of per-class recall", discovery_sets.gcd_balanced
        ),
        "happy": MetricSet(
            "M_f and M_d of continual discovery; Old are all classes of earlier stages",
            discovery_sets.happy,
        ),
        "happy-hard": MetricSet(
            "the same M_f and M_d; Old are the labelled classes alone", discovery_sets.happy_hard
        ),
        "grow-and-merge": MetricSet(
            "M_f against all classes seen before, M_d of the last stage",
            discovery_sets.grow_and_merge,
        ),
        "cr-kd-v1": MetricSet(
            "seen classes without a matching, novel ones under their own", discovery_sets.crkd_v1
        ),
        "cr-kd-v3": MetricSet(
            "ids of seen classes stand for themselves, novel ones are matched",
            discovery_sets.crkd_v3,
        ),
        "class-incd": MetricSet(
            "old classes as themselves, clusters matched once on unlabelled samples",
            class_incd.class_incd,
            uses_unlabelled=True,
        ),
    }
)
