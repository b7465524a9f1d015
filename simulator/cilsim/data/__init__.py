"""Data sets as arrays, and samples on the device."""
