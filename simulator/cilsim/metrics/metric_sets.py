"""Metric sets of other tools, for `cilsim report --metric-set NAME`.

Each takes the stored predictions and gives the tool's headline values, as fractions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from cilsim.metrics import variants
from cilsim.metrics.clustering import balanced_matched_accuracy, split_matched_accuracy
from cilsim.metrics.evaluate import EvaluatedValues, recompute
from cilsim.metrics.forgetting import (
    average_incremental_accuracy,
    average_incremental_accuracy_by_experience,
    backward_transfer,
    forgetting,
)
from cilsim.naming import did_you_mean
from cilsim.records import Predictions, StreamInfo

Values = dict[str, float]


@dataclass(frozen=True)
class MetricSet:
    """What a tool prints at the end of a run.

    Attributes:
        summary: one line on how it differs.
        compute: from the result and the predictions after the last experience.
    """

    summary: str
    compute: Callable[[EvaluatedValues, Predictions, StreamInfo], Values]


def metric_set(name: str, history: Sequence[Predictions], stream: StreamInfo) -> Values:
    """Return the values of a metric set after the last experience of `history`.

    Raises:
        ValueError: no metric set has that name.
    """
    if name not in METRIC_SETS:
        raise ValueError(f"no metric set is named '{name}'{did_you_mean(name, METRIC_SETS)}")
    result = recompute(history, stream)[-1]
    return METRIC_SETS[name].compute(result, history[-1], stream)


def _pycil(result: EvaluatedValues, last: Predictions, stream: StreamInfo) -> Values:
    return {
        "A_last": result.accuracies[-1],
        "average_accuracy": average_incremental_accuracy(result.accuracies),
        "forgetting": variants.forgetting_over_all_rows(result.accuracy_matrix, result.experience),
    }


def _facil(result: EvaluatedValues, last: Predictions, stream: StreamInfo) -> Values:
    matrix, after = result.accuracy_matrix, result.experience
    return {
        "avg_accs_tag": variants.last_accuracy_by_experience(matrix, after),
        "average_incremental": average_incremental_accuracy_by_experience(matrix, after),
        "forg_tag": forgetting(matrix, after),
    }


def _mammoth(result: EvaluatedValues, last: Predictions, stream: StreamInfo) -> Values:
    matrix, after = result.accuracy_matrix, result.experience
    return {
        "accuracy": variants.last_accuracy_by_experience(matrix, after),
        "backward_transfer": backward_transfer(matrix, after),
        "forgetting": variants.forgetting_over_all_rows(matrix, after),
    }


def _avalanche(result: EvaluatedValues, last: Predictions, stream: StreamInfo) -> Values:
    matrix, after = result.accuracy_matrix, result.experience
    return {
        "Top1_Acc_Stream": result.accuracies[-1],
        "StreamForgetting": variants.forgetting_since_learnt(matrix, after),
        "StreamBWT": backward_transfer(matrix, after),
    }


def _continuum(result: EvaluatedValues, last: Predictions, stream: StreamInfo) -> Values:
    matrix, after = result.accuracy_matrix, result.experience
    return {
        "accuracy_A": variants.accuracy_over_all_pairs(matrix, after),
        "backward_transfer": variants.backward_transfer_continuum(matrix, after),
        "forgetting": variants.forgetting_continuum(matrix, after),
    }


def _libcontinual(result: EvaluatedValues, last: Predictions, stream: StreamInfo) -> Values:
    matrix, after = result.accuracy_matrix, result.experience
    return {
        "batch_overall_accuracy": average_incremental_accuracy(result.accuracies),
        "task_overall_accuracy": average_incremental_accuracy_by_experience(matrix, after),
        "overall_forgetting": variants.forgetting_libcontinual(matrix, after),
        "overall_bwt": variants.backward_transfer_libcontinual(matrix, after),
    }


def _gcd_v1(result: EvaluatedValues, last: Predictions, stream: StreamInfo) -> Values:
    old = stream.experiences[0].new_labels
    return split_matched_accuracy(last.label, last.predicted, old)._asdict()


def _gcd_balanced(result: EvaluatedValues, last: Predictions, stream: StreamInfo) -> Values:
    old = stream.experiences[0].new_labels
    return balanced_matched_accuracy(last.label, last.predicted, old)._asdict()


def _happy(result: EvaluatedValues, last: Predictions, stream: StreamInfo) -> Values:
    matrix, after = result.accuracy_matrix, result.experience
    return {
        "M_f": variants.happy_forgetting(matrix, after),
        "M_d": variants.happy_discovery(matrix, after),
    }


METRIC_SETS: Mapping[str, MetricSet] = MappingProxyType(
    {
        "pycil": MetricSet("pooled accuracies; forgetting against the best of all rows", _pycil),
        "facil": MetricSet("experiences weigh the same; forgetting as Chaudhry 2018", _facil),
        "mammoth": MetricSet("experiences weigh the same; forgetting as PyCIL", _mammoth),
        "avalanche": MetricSet("forgetting is just after learning minus now", _avalanche),
        "continuum": MetricSet("all pairs of experiences; adjacent ones left out", _continuum),
        "libcontinual": MetricSet("Continuum's forms, averaged over the run", _libcontinual),
        "gcd-v1": MetricSet("separate matchings of old and new samples", _gcd_v1),
        "gcd-balanced": MetricSet("one matching, means of per-class recall", _gcd_balanced),
        "happy": MetricSet("M_f and M_d over the stages of continual GCD", _happy),
    }
)
