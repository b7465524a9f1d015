"""Scenario files: reading, validating, explaining what is wrong."""
