"""The arms of `cilsim bench`: the engine against what it cannot do without, peers left out."""

from __future__ import annotations

from cilsim.bench.extraction import (
    EXTRACT_RESNET18,
    EXTRACT_RESNET20,
    EXTRACT_SMALL,
    EXTRACT_VIT,
)
from cilsim.bench.kmeans import KMEANS_5000, KMEANS_50000, KMEANS_RESTARTS
from cilsim.bench.linear_svm import SVM_5000, SVM_20000, SVM_50000
from cilsim.bench.rounds import Arm
from cilsim.bench.sessions import SESSION_RESNET20, SESSION_SMALL
from cilsim.bench.start_up import FIRST_STEP, HELP
from cilsim.bench.training import STEP_OVERHEAD, TRAIN_RESNET20, TRAIN_SMALL

ARMS: dict[str, Arm] = {
    "train-small": TRAIN_SMALL,
    "train-resnet20": TRAIN_RESNET20,
    "step-overhead": STEP_OVERHEAD,
    "extract-small": EXTRACT_SMALL,
    "extract-resnet20": EXTRACT_RESNET20,
    "extract-resnet18": EXTRACT_RESNET18,
    "extract-vit": EXTRACT_VIT,
    "session-small": SESSION_SMALL,
    "session-resnet20": SESSION_RESNET20,
    "svm-5000": SVM_5000,
    "svm-20000": SVM_20000,
    "svm-50000": SVM_50000,
    "kmeans-5000": KMEANS_5000,
    "kmeans-50000": KMEANS_50000,
    "kmeans-restarts": KMEANS_RESTARTS,
    "startup-help": HELP,
    "startup-first-step": FIRST_STEP,
}

ON_REQUEST = ("svm-50000", "kmeans-50000")
"""Left out unless named: the baseline alone takes a minute per round."""

QUICK = ("train-small", "extract-small", "session-small", "svm-5000", "startup-help")
"""What `--quick` runs: one arm of each part of the engine."""
