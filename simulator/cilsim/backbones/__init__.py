"""Networks from samples to features. `builtin` declares them without importing torch."""
