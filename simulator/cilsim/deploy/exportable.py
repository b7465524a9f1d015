"""Whether the scores of a run can be said in plain tensors, and what they are."""

from __future__ import annotations

from cilsim.deploy.revival import Revived
from cilsim.deploy.stored_model import StoredModel
from cilsim.errors import CilsimError
from cilsim.strategy import Calibrator, PlainClassifier
from cilsim.strategy.plain_classifier import plain_classifier_of


def classifier_of(model: StoredModel, back: Revived) -> PlainClassifier:
    """Return how a run scores, calibrated prototypes included.

    Raises:
        CilsimError: strategy, a calibrator or a plugin computes scores that it does not describe.
    """
    said = None if _changed_by(back) else plain_classifier_of(back.run.strategy)
    if said is None:
        who = _changed_by(back) or f"strategy '{back.run.entry.name}'"
        raise CilsimError(
            f"{model.where}: {who} computes scores that no plain file describes - expected a "
            "strategy with plain_classifier(); 'cilsim predict' works on the run itself"
        )
    return said


def _changed_by(back: Revived) -> str:
    """Return which calibrator or plugin changes scores, or an empty text."""
    for name in back.run.info.calibrators:
        kind = back.plugins.registries.calibrators[name].load()
        if kind.adjust_scores is not Calibrator.adjust_scores:
            return f"calibrator '{name}'"
    for plugin in back.plugins.loaded:
        if "cilsim_scores" in plugin.hooks:
            return f"plugin '{plugin.name}'"
    return ""
