"""The training loop and its parts: batches, heads, optimisers, schedules, precision."""
