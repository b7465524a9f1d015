"""Facts about a stream without what a strategy is not told."""

from __future__ import annotations

from dataclasses import replace

from cilsim.records import ExperienceInfo, RunInfo


def without_number_of_classes(info: RunInfo) -> RunInfo:
    """Return a run's facts for a strategy that is not told how many classes are to be discovered.

    Novel classes, and counts that would give their number away, are left out.
    """
    known, experiences = 0, []
    for experience in info.stream.experiences:
        known += len(experience.labelled_labels)
        experiences.append(_labelled_only(experience, known))
    stream = replace(info.stream, experiences=tuple(experiences), class_ids=(), class_names=())
    return replace(info, stream=stream)


def _labelled_only(experience: ExperienceInfo, known: int) -> ExperienceInfo:
    return replace(
        experience,
        new_labels=experience.labelled_labels,
        novel_classes=0,
        seen=known,
        test=0,
    )
