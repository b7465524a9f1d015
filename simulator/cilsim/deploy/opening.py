"""The model behind a path that a user names: an exported one, or that of a run."""

from __future__ import annotations

from pathlib import Path

from cilsim.deploy.from_run import model_of_run
from cilsim.deploy.model_folder import is_model, read_model
from cilsim.deploy.stored_model import StoredModel
from cilsim.errors import RunFolderError
from cilsim.plugins import Plugins


def open_model(path: Path, plugins: Plugins, after: int | None = None) -> StoredModel:
    """Return the model in a folder, which stays as it is.

    Args:
        path: an exported model, or a run as for `model_of_run`.
        plugins: what is installed.
        after: which experience a run has learnt last; default: the newest stored.

    Raises:
        RunFolderError: there is neither, or an exported model is asked for an earlier experience.
        CheckpointError: a file is missing or damaged.
        DataError: the data set of a run is missing or another one.
    """
    if not is_model(path):
        return model_of_run(path, plugins, after)
    if after is not None:
        raise RunFolderError(
            f"{path}: is an exported model, which has one state - leave --after out, or name a run"
        )
    return read_model(path)
