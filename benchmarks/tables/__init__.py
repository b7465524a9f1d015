"""The tables of all strategies in the README: measured, kept as JSON, written, compared."""
