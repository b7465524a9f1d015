"""The tables of all strategies in docs/results.md: measured, kept as JSON, written, compared."""
