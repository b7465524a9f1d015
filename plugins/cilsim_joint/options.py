"""Options of joint training."""

from cilsim import Options


class JointOptions(Options):
    """How the bound is trained."""

    from_scratch: bool = True
    """Train a fresh network with the base recipe after each experience; false goes on from the
    network of the experience before, with the recipe of later experiences."""
