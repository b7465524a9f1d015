"""Features of whole parts: extraction in fixed chunks, and the cache."""
