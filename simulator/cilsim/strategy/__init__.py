"""What a plugin author writes against: the strategy, the calibrator, and what they are given."""

from cilsim.strategy.calibrator import Calibrator
from cilsim.strategy.context import Context
from cilsim.strategy.experience import Experience, FeatureSet
from cilsim.strategy.strategy import Strategy

__all__ = ["Calibrator", "Context", "Experience", "FeatureSet", "Strategy"]
