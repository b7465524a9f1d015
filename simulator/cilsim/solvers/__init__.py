"""Solvers that strategies share: k-means, linear SVM, ridge regression, covariances, assignment."""
