"""Solvers on the device that strategies share: k-means, assignment."""
