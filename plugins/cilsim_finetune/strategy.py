"""Fine-tuning on each experience with nothing done against forgetting."""

from __future__ import annotations

from cilsim import Strategy


class Finetune(Strategy):
    """Plain cross-entropy over all classes seen, on the samples of the newest experience only.

    The backbone and the head go on from where the last experience left them; nothing is stored.
    It is the lower bound of every table: old classes are forgotten almost completely (McCloskey
    and Cohen 1989). All of it is the default behaviour of `cilsim.Strategy`.
    """
