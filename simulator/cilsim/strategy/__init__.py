"""What a plugin author writes against: the strategy, the calibrator, and what they are given."""

from cilsim.prototypes.table import PrototypeTable
from cilsim.strategy.calibrator import Calibrator
from cilsim.strategy.context import Context
from cilsim.strategy.experience import Experience, FeatureSet
from cilsim.strategy.plain_classifier import PlainClassifier
from cilsim.strategy.strategy import Strategy
from cilsim.training.batch import Batch, TrainingLoss

__all__ = [
    "Batch",
    "Calibrator",
    "Context",
    "Experience",
    "FeatureSet",
    "PlainClassifier",
    "PrototypeTable",
    "Strategy",
    "TrainingLoss",
]
