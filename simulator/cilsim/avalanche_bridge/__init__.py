"""The door to Avalanche. Imported only by those who use it: avalanche takes seconds to import.

`to_avalanche` and `scenario_to_avalanche` make an Avalanche benchmark of a stream of ours,
`from_avalanche` a data set and a stream of any Avalanche benchmark, and `run_benchmark` runs our
strategies on one. `StockRun` runs an Avalanche strategy on our samples.
"""

import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of what avalanche itself imports
    from cilsim.avalanche_bridge.benchmark import scenario_to_avalanche, to_avalanche
    from cilsim.avalanche_bridge.reading import from_avalanche
    from cilsim.avalanche_bridge.running import run_benchmark
    from cilsim.avalanche_bridge.stock_run import StockChoice, StockRun

__all__ = [
    "StockChoice",
    "StockRun",
    "from_avalanche",
    "run_benchmark",
    "scenario_to_avalanche",
    "to_avalanche",
]
