"""Running a scenario: every strategy and seed, one experience after another."""
