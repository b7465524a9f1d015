from __future__ import annotations

# The distribution's own tests need it to be installed; test_external_distribution.py runs them.
collect_ignore_glob = ["cilsim-*"]
