"""How far each run has come, in the folder's `status.json`."""

from __future__ import annotations

from cilsim.hookspecs import hookimpl
from cilsim.records import ExperienceInfo, RunInfo
from cilsim.results.status import StatusFile


class StatusKeeper:
    """Writes how far each run has come into the folder's status."""

    def __init__(self, status: StatusFile) -> None:
        self._status = status

    @hookimpl(trylast=True)
    def cilsim_on_checkpoint(self, run: RunInfo, experience: ExperienceInfo) -> None:
        """Note that an experience is finished."""
        self._status.advance(
            run.strategy, run.seed, experience=experience.index + 1, of=len(run.stream.experiences)
        )
