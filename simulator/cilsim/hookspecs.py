"""Every hook of cilsim, in the order of a run.

The transcript of a run of two experiences, one calibrator, as a plugin that implements every hook
sees it (a test compares it with a real run, call by call):

    cilsim_register_strategies      once, before the scenario is checked
    cilsim_register_calibrators
    cilsim_register_streams
    cilsim_register_datasets
    cilsim_register_backbones
    cilsim_register_metrics
    cilsim_before_run
    cilsim_before_experience        experience 0
      cilsim_train_experience
        cilsim_training_loss        once per optimiser step
        cilsim_on_scalars           once per epoch
      cilsim_calibrate_prototypes   only for strategies that keep prototypes
      cilsim_after_training
      cilsim_scores                 once per evaluation batch
      cilsim_after_evaluation
      cilsim_on_checkpoint
    cilsim_before_experience        experience 1
      cilsim_train_experience
      cilsim_calibrate_prototypes
      cilsim_after_training
      cilsim_scores                 or cilsim_assign, once per set, on a discovery stream
      cilsim_after_evaluation
      cilsim_on_checkpoint
    cilsim_after_run                or cilsim_on_run_error

An implementation names only the arguments that it wants. The engine's defaults are `trylast`; a
hook marked `firstresult` stops at the first result that is not None; wrap it
(`@hookimpl(wrapper=True)`) to time, change or replace what it returns.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from torch import Tensor

    from cilsim.errors import CilsimError
    from cilsim.prototypes.table import PrototypeTable
    from cilsim.records import Evaluation, ExperienceInfo, RunInfo, RunResult, Scalars
    from cilsim.registry import Register
    from cilsim.strategy import Experience, FeatureSet, Strategy
    from cilsim.training.batch import Batch, TrainingLoss

PROJECT = "cilsim"
API_VERSION = 1
"""What a plugin declares as `cilsim_api`; raised when a hook changes incompatibly."""

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


# -------------------------------------------------------------------------
# Registration: once, before the scenario is checked. Import nothing heavy.
# -------------------------------------------------------------------------


@hookspec
def cilsim_register_strategies(register: Register) -> None:
    """Register strategies, each by one call of `register`.

    Args:
        register: `register(name, load, options=Options, summary="", aliases=(), serves=(),
            repeated_classes=False, check_options={})`. `load` is the strategy class or
            `"package.module:Class"`, imported when a run needs it; `options`, given as either, is
            the subclass of `cilsim.Options` that validates what a scenario sets; `serves` names
            the stream kinds that the strategy can serve, empty for every labelled kind;
            `repeated_classes` says that it can also learn more of classes that it has seen, as
            domain-incremental streams ask for; `check_options` are set when
            `cilsim plugin check` tries it.
    """


@hookspec
def cilsim_register_calibrators(register: Register) -> None:
    """Register calibrators, which change prototypes or scores of a strategy that is not their own.

    Args:
        register: `register(name, load, options=Options, summary="", aliases=(),
            check_options={})`; `load` is the subclass of `cilsim.Calibrator` or
            `"package.module:Class"`; `check_options` as for strategies.
    """


@hookspec
def cilsim_register_streams(register: Register) -> None:
    """Register stream kinds.

    Args:
        register: `register(name, load, options=Options, summary="", check=None, labelled=True,
            new_classes=True)`; `load(options, facts, order, seed)` returns the `StreamPlan`,
            `check(options, facts)` returns `(option, message)` pairs for whatever the data cannot
            give, `labelled` says whether every experience has labels, `new_classes` whether every
            one brings classes.
    """


@hookspec
def cilsim_register_datasets(register: Register) -> None:
    """Register data sets.

    Args:
        register: `register(name, load, facts, options=Options, summary="", aliases=(),
            publication=None)`; `load(options)` returns a `cilsim.data.dataset.DataSet`,
            `facts(options)` returns its `DataFacts` without reading an image; `publication` is a
            `cilsim.data.publication.Publication`, with which `cilsim data` lists, fetches and
            verifies the files.
    """


@hookspec
def cilsim_register_backbones(register: Register) -> None:
    """Register backbones.

    Args:
        register: `register(name, load, options=Options, summary="", aliases=(), accepts=None,
            check=None, normalisation=None, weights=None)`; `load(options, sample_shape,
            generator)` returns a module that maps normalised samples (B, ...) to features
            (B, D) and says D as `feature_size`; `accepts` is `"images"`, `"features"` or None
            for both; `check(options, facts)` returns `(option, message)` pairs for what cannot
            work; `normalisation(options)` returns mean and deviation per channel that images are
            normalised by, or None for those of the data set; `weights(options)` returns `name`
            and `sha256` of the file that weights come from, or None.
    """


@hookspec
def cilsim_register_metrics(register: Register) -> None:
    """Register metrics.

    Args:
        register: `register(name, load, summary="")`; `load(history, stream)` returns a value
            after each experience from the stored predictions so far, or None if it has none.
    """


# -------------------------------------------------------------------------
# A run begins
# -------------------------------------------------------------------------


@hookspec
def cilsim_before_run(run: RunInfo) -> None:
    """Called once when the stream, the backbone and the strategy exist and nothing has run.

    Args:
        run: facts about the run.
    """


@hookspec
def cilsim_before_experience(run: RunInfo, experience: ExperienceInfo) -> None:
    """Called before an experience is given to the strategy.

    Args:
        run: facts about the run.
        experience: facts about the experience.
    """


# -------------------------------------------------------------------------
# Training
# -------------------------------------------------------------------------


@hookspec(firstresult=True)
def cilsim_train_experience(
    run: RunInfo, strategy: Strategy, experience: Experience
) -> object | None:
    """Let the strategy learn one experience; stops at first non-None result.

    Wrap it to time or to regularise; return a value other than None to replace the learning.
    The default calls `strategy.learn(experience)` and returns True.

    Args:
        run: facts about the run.
        strategy: the strategy object of the run.
        experience: the samples that it may see.
    """


@hookspec(firstresult=True)
def cilsim_training_loss(run: RunInfo, strategy: Strategy, batch: Batch) -> TrainingLoss | None:
    """Return the loss of one optimiser step; stops at first non-None result.

    Wrap it to add a penalty. The default returns `strategy.loss(batch)`. Called once per step:
    without any implementation the engine skips the hook, so an unused hook costs nothing.

    Args:
        run: facts about the run.
        strategy: the strategy object of the run.
        batch: samples after augmentation and `strategy.transform_batch`.
    """


@hookspec
def cilsim_on_scalars(run: RunInfo, scalars: Scalars) -> None:
    """Called once per training epoch with loss, accuracy, learning rate and throughput.

    Args:
        run: facts about the run.
        scalars: plain numbers and the optimiser step, counted over the whole run.
    """


@hookspec
def cilsim_calibrate_prototypes(
    run: RunInfo, experience: ExperienceInfo, prototypes: PrototypeTable
) -> None:
    """Change prototypes after those of the new classes exist.

    Called once per experience for strategies that keep prototypes. The calibrators of the
    scenario run first to last in the order of its `calibrators:` list; each sees what the one
    before it left. Change rows with `prototypes.update(labels, vectors, by=name)`.

    Args:
        run: facts about the run.
        experience: facts about the experience whose classes are new.
        prototypes: current rows, raw class means, and which rows are base and new.
    """


@hookspec
def cilsim_after_training(run: RunInfo, experience: ExperienceInfo, seconds: float) -> None:
    """Called when the strategy has learnt an experience, before it is evaluated.

    Args:
        run: facts about the run.
        experience: facts about the experience.
        seconds: wall time that learning took.
    """


# -------------------------------------------------------------------------
# Evaluation
# -------------------------------------------------------------------------


@hookspec(firstresult=True)
def cilsim_scores(run: RunInfo, strategy: Strategy, features: Tensor) -> Tensor | None:
    """Return scores over the classes seen so far; stops at first non-None result.

    Wrap it to calibrate logits or to detect unknowns. The default returns
    `strategy.scores(features)`.

    Args:
        run: facts about the run.
        strategy: the strategy object of the run.
        features: (B, D) features of test samples, or (B, C, H, W) normalised images if the
            strategy sets `scores_images`.

    Returns:
        (B, K) with K the number of classes seen; the prediction is the largest.
    """


@hookspec(firstresult=True)
def cilsim_assign(run: RunInfo, strategy: Strategy, feature_set: FeatureSet) -> Tensor | None:
    """Return a cluster id per sample of a whole set; stops at first non-None result.

    Called instead of `cilsim_scores` from the first experience with unlabelled samples on, for the
    test samples and for the unlabelled samples just learnt. The default returns
    `strategy.assign(feature_set)`.

    Args:
        run: facts about the run.
        strategy: the strategy object of the run.
        feature_set: features of all samples of the evaluated set, without labels; its `name` is
            `test` or `unlabelled`.

    Returns:
        (N,) int64 ids; metrics match them to classes.
    """


@hookspec
def cilsim_after_evaluation(run: RunInfo, evaluation: Evaluation) -> None:
    """Called when metrics of an experience are known and stored.

    Args:
        run: facts about the run.
        evaluation: metrics, accuracy matrix, confusion matrix, predictions, cost.
    """


@hookspec
def cilsim_on_checkpoint(run: RunInfo, experience: ExperienceInfo) -> None:
    """Called when the state after an experience is safely on disk.

    Args:
        run: facts about the run.
        experience: facts about the experience.
    """


# -------------------------------------------------------------------------
# A run ends
# -------------------------------------------------------------------------


@hookspec
def cilsim_after_run(run: RunInfo, result: RunResult) -> None:
    """Called once when the last experience was evaluated.

    Args:
        run: facts about the run.
        result: all evaluations.
    """


@hookspec
def cilsim_on_run_error(run: RunInfo, error: CilsimError) -> None:
    """Called once when a run cannot go on; the error is raised again afterwards.

    Args:
        run: facts about the run.
        error: what is going to be printed; its cause, if any, is `error.__cause__`.
    """
