"""Metrics: pure functions on labels and accuracy matrices, each with its paper. No torch."""
