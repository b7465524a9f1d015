"""Streams: which samples belong to which experience, as plain index arrays."""
