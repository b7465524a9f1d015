"""Metric sets of papers on novel class discovery; `metric_sets` lists them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from cilsim.metrics.accuracy import NAN
from cilsim.metrics.clustering import (
    MatchedAccuracy,
    balanced_matched_accuracy,
    matched_accuracy,
    purity,
    split_matched_accuracy,
)
from cilsim.metrics.discovery_variants import crkd_v1_accuracy, crkd_v3_accuracy
from cilsim.metrics.evaluate import EvaluatedValues
from cilsim.metrics.named import named_predictions
from cilsim.metrics.stages import (
    StageAccuracy,
    grow_and_merge_summary,
    happy_summary,
    named_stage_accuracy,
)
from cilsim.records import IntArray, Predictions, StreamInfo

Values = dict[str, float]
History = Sequence[Predictions]
MatchedMetric = Callable[[IntArray, IntArray, Sequence[int]], MatchedAccuracy]


def gcd_v1(result: EvaluatedValues, history: History, stream: StreamInfo) -> Values:
    """Return All, Old and New under separate matchings; Old are the labelled base classes."""
    return _last(split_matched_accuracy, history, stream)._asdict()


def gcd_v2(result: EvaluatedValues, history: History, stream: StreamInfo) -> Values:
    """Return All, Old and New under one matching, and the purity of the clusters."""
    last = history[-1]
    values = _last(matched_accuracy, history, stream)._asdict()
    return {**values, "purity": purity(last.label, last.predicted)}


def gcd_balanced(result: EvaluatedValues, history: History, stream: StreamInfo) -> Values:
    """Return All, Old and New as means over classes."""
    return _last(balanced_matched_accuracy, history, stream)._asdict()


def crkd_v1(result: EvaluatedValues, history: History, stream: StreamInfo) -> Values:
    """Return All, seen and novel; seen classes are not matched."""
    return _seen_and_novel(_last(crkd_v1_accuracy, history, stream))


def crkd_v3(result: EvaluatedValues, history: History, stream: StreamInfo) -> Values:
    """Return All, seen and novel; ids of seen classes stand for themselves."""
    return _seen_and_novel(_last(crkd_v3_accuracy, history, stream))


def happy(result: EvaluatedValues, history: History, stream: StreamInfo) -> Values:
    """Return M_f, M_d and the soft accuracies of the last stage."""
    initial, stages = _stages(history, stream)
    summary = happy_summary(initial, stages)
    return {"M_f": summary.forgetting, "M_d": summary.discovery, **_of_last(stages, soft=True)}


def happy_hard(result: EvaluatedValues, history: History, stream: StreamInfo) -> Values:
    """Return M_f, M_d and the hard accuracies of the last stage."""
    initial, stages = _stages(history, stream)
    summary = happy_summary(initial, stages)
    return {"M_f": summary.forgetting, "M_d": summary.discovery, **_of_last(stages, soft=False)}


def grow_and_merge(result: EvaluatedValues, history: History, stream: StreamInfo) -> Values:
    """Return M_f against all classes seen before, and M_d of the last stage alone."""
    initial, stages = _stages(history, stream)
    summary = grow_and_merge_summary(initial, stages)
    return {"M_f": summary.forgetting, "M_d": summary.discovery}


def _last(metric: MatchedMetric, history: History, stream: StreamInfo) -> MatchedAccuracy:
    return metric(history[-1].label, history[-1].predicted, stream.base_labels)


def _seen_and_novel(found: MatchedAccuracy) -> Values:
    return {"all": found.all, "seen": found.old, "novel": found.new}


def _stages(history: History, stream: StreamInfo) -> tuple[float, list[StageAccuracy]]:
    """Return A0 and the accuracies after each later experience."""
    found = []
    for predictions in history:
        now = stream.experiences[predictions.experience]
        named = named_predictions(predictions, stream)
        new = now.novel_labels or now.new_labels
        found.append(named_stage_accuracy(predictions.label, named, stream.base_labels, new))
    return found[0].old_hard, found[1:]


def _of_last(stages: Sequence[StageAccuracy], *, soft: bool) -> Values:
    if not stages:
        return MatchedAccuracy(NAN, NAN, NAN)._asdict()
    return (stages[-1].soft if soft else stages[-1].hard)._asdict()
