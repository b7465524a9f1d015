"""The matrices of FeCAM's variants, and the distances by them.

A variant keeps one growing record of matrices; what it keeps is all that it needs.

Axis letters: N samples, B batch, D features, K classes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from cilsim.prototypes.rows import append_rows
from cilsim.prototypes.scores import euclidean_scores
from cilsim.solvers.conditioning import correlation, indefinite, inverse, row_correlation, shrink
from cilsim.solvers.covariance import class_covariances, covariance
from cilsim.solvers.mahalanobis import class_distances, diagonal_distances, shared_distances
from cilsim_fecam.options import FecamOptions


class Precisions:
    """What stands between a difference and its length.

    Attributes:
        options: of the strategy.
        matrices: what is kept: (K, D, D) float32 inverse covariances for `class`, (K, D) float32
            inverse variances for `diagonal`, the (D, D) float64 covariance for `common`, None for
            `identity`.
        indefinite: how many matrices of the newest classes have negative eigenvalues.
    """

    def __init__(self, options: FecamOptions) -> None:
        self.options = options
        self.matrices: Tensor | None = None
        self.indefinite = 0
        self._inverse_DD: Tensor | None = None  # of the common covariance, as it is now

    def add(
        self,
        features_ND: Tensor,
        labels_N: Tensor,
        new: Sequence[int],
        embed: Callable[[Tensor], Tensor] | None = None,
    ) -> None:
        """Add the classes of an experience.

        Args:
            features_ND: (N, D) features.
            labels_N: (N,) labels.
            new: labels of the classes, those seen before being all lower ones.
            embed: transforms features, each by itself; by default they are transformed already.

        Raises:
            ValueError: a class, or the experience, has fewer than two samples.
        """
        self.indefinite = 0
        if self.options.covariance == "common":
            self._mix(covariance(features_ND, embed=embed), len(new), min(new))
        elif self.options.covariance != "identity":
            for chunk_KDD in class_covariances(features_ND, labels_N, new, embed=embed):
                self.matrices = append_rows(self.matrices, self._finished(chunk_KDD).float())

    def distances(self, features_BD: Tensor, means_KD: Tensor) -> Tensor:
        """Return (B, K) squared distances of transformed features to transformed means."""
        if self.matrices is None:
            return -euclidean_scores(features_BD, means_KD)
        if self.options.covariance == "class":
            return class_distances(features_BD, means_KD, self.matrices)
        if self.options.covariance == "diagonal":
            return diagonal_distances(features_BD, means_KD, self.matrices)
        inverse_DD = self.inverse()
        assert inverse_DD is not None  # there are matrices
        return shared_distances(features_BD.double(), means_KD.double(), inverse_DD)

    def inverse(self) -> Tensor | None:
        """Return the inverse matrices of the classes or the one of all; None for `identity`."""
        if self.options.covariance != "common" or self.matrices is None:
            return self.matrices
        if self._inverse_DD is None:
            self._inverse_DD = inverse(self.matrices.unsqueeze(0))[0]
        return self._inverse_DD

    def restore(self, matrices: Tensor | None) -> None:
        """Take over what was kept."""
        self.matrices, self._inverse_DD = matrices, None

    def _mix(self, new_DD: Tensor, new_classes: int, old_classes: int) -> None:
        """Mix a covariance into the common one, in proportion to the numbers of classes."""
        if self.matrices is None:
            self.restore(new_DD)
            return
        share = old_classes / (old_classes + new_classes)
        self.restore(share * self.matrices + (1.0 - share) * self._shrunk(new_DD))

    def _finished(self, covariances_KDD: Tensor) -> Tensor:
        """Return inverse correlations (K, D, D), or inverse variances (K, D) of unit norm."""
        covariances_KDD.diagonal(dim1=-2, dim2=-1).add_(self.options.add_to_diagonal)
        for _ in range(self.options.shrink_times):
            covariances_KDD = self._shrunk(covariances_KDD)
        if self.options.covariance == "diagonal":
            variances_KD = covariances_KDD.diagonal(dim1=-2, dim2=-1)
            spread_K1 = variances_KD.any(1, keepdim=True)  # without any, all features count alike
            variances_KD = torch.where(spread_K1, variances_KD, 1.0)
            norms_K1 = torch.linalg.vector_norm(variances_KD, dim=1, keepdim=True)
            return torch.where(variances_KD > 0, norms_K1 / variances_KD, 0.0)
        if self.options.correlation == "of_features":
            covariances_KDD = correlation(covariances_KDD)
        elif self.options.correlation == "of_rows":
            covariances_KDD = row_correlation(covariances_KDD)
        self.indefinite += int(indefinite(covariances_KDD).sum())
        return inverse(covariances_KDD)

    def _shrunk(self, covariances_KDD: Tensor) -> Tensor:
        return shrink(
            covariances_KDD, self.options.shrink_diagonal, self.options.shrink_off_diagonal
        )
