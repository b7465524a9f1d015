"""Side-by-side timings: `python -m benchmarks [--arm NAME] [--json FILE]`, from the repository."""
