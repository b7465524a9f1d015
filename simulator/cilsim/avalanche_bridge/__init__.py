"""The door to Avalanche. Imported only by those who use it: avalanche takes seconds to import."""

from cilsim.avalanche_bridge.benchmark import scenario_to_avalanche, to_avalanche

__all__ = ["scenario_to_avalanche", "to_avalanche"]
