"""All arms by name: those of `cilsim bench`, further ones, and those against other tools."""

from __future__ import annotations

from benchmarks.avalanche_arm import (
    AVALANCHE,
    AVALANCHE_FEATURES,
    AVALANCHE_INPUT,
    AVALANCHE_TINY,
)
from benchmarks.increment_arm import INCREMENT_5, INCREMENT_50, INCREMENT_500
from benchmarks.index_arm import RUNS_QUERY, RUNS_REFRESH
from benchmarks.kmeans_arm import KMEANS_GCD_50, KMEANS_GCD_100, KMEANS_PLAIN
from benchmarks.mahalanobis_arm import MAHALANOBIS
from benchmarks.peers.arms import FETRIL_INCREMENTS, FSCIL_TEEN, NMC_AVALANCHE, NMC_PYCIL
from benchmarks.ridge_arm import RIDGE_PATH
from benchmarks.second_strategy_arm import SECOND_STRATEGY
from benchmarks.training_arms import (
    TRAIN_COMPILED,
    TRAIN_GROWING,
    TRAIN_RESNET18,
    TRAIN_RESNET32,
)
from cilsim.bench import catalogue
from cilsim.bench.rounds import Arm

ARMS: dict[str, Arm] = {
    **catalogue.ARMS,
    "train-resnet32": TRAIN_RESNET32,
    "train-resnet18": TRAIN_RESNET18,
    "train-growing": TRAIN_GROWING,
    "train-compiled": TRAIN_COMPILED,
    "second-strategy": SECOND_STRATEGY,
    "increment-5": INCREMENT_5,
    "increment-50": INCREMENT_50,
    "increment-500": INCREMENT_500,
    "kmeans-gcd-50": KMEANS_GCD_50,
    "kmeans-gcd-100": KMEANS_GCD_100,
    "kmeans-plain": KMEANS_PLAIN,
    "runs-query": RUNS_QUERY,
    "runs-refresh": RUNS_REFRESH,
    "ridge-path": RIDGE_PATH,
    "mahalanobis": MAHALANOBIS,
    "fscil-teen": FSCIL_TEEN,
    "fetril-increments": FETRIL_INCREMENTS,
    "nmc-pycil": NMC_PYCIL,
    "nmc-avalanche": NMC_AVALANCHE,
    "avalanche": AVALANCHE,
    "avalanche-tiny": AVALANCHE_TINY,
    "avalanche-features": AVALANCHE_FEATURES,
    "avalanche-input": AVALANCHE_INPUT,
}

ON_REQUEST = (*catalogue.ON_REQUEST, "kmeans-gcd-100")
