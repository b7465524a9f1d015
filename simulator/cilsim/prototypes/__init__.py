"""Prototypes: class means, scores against them, and the table that calibrators change."""
