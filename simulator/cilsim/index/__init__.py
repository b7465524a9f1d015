"""An index of all runs below one folder: fast to query, never the only copy of anything."""
