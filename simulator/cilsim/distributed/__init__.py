"""Several processes that do one run together: what they share of its work, and how they agree.

All of them run the same program with the same random numbers. Two things are dealt out among them:
the samples of a training's batches, and the samples whose features are extracted. All else each
does for itself, with equal results. The first process alone writes files and talks to the user.
"""
