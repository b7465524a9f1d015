"""Shear, translation and rotation of uint8 images, pixel for pixel as Pillow's affine transform.

What comes from outside an image is grey. Positions are computed in fixed point or double precision,
so that every device takes the same pixels.

Axis letters: N images, C channels, H W pixels.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cilsim.data.transfer import sent

FILL = 128

Magnitudes = NDArray[np.float64]


def shear_x(images_NCHW: Tensor, slope_N: Magnitudes) -> Tensor:
    """Return images whose row y is shifted by slope * (y + 1/2) pixels, bicubic.

    The kernel is Pillow's, cubic convolution with a = -1; pixels beyond the border are repeated
    inside of its reach, and the result is truncated to whole levels.
    """
    height, width = images_NCHW.shape[2:]
    device = images_NCHW.device
    shift_NH = sent(torch.from_numpy(slope_N[:, None] * (np.arange(height) + 0.5)), device)
    centre_W = torch.arange(width, device=device).double() + 0.5
    source_NHW = centre_W + shift_NH.unsqueeze(2)
    outside_N1HW = ((source_NHW < 0.0) | (source_NHW >= width)).unsqueeze(1)
    first_NHW = (source_NHW - 0.5).floor()
    part_N1HW = (source_NHW - 0.5 - first_NHW).unsqueeze(1)
    column_NHW = first_NHW.long()
    left, here, right, beyond = (
        _columns(images_NCHW, column_NHW + tap).double() for tap in (-1, 0, 1, 2)
    )
    cubic = here - left + beyond - right
    square = 2.0 * (left - here) + right - beyond
    value_NCHW = here + part_N1HW * (right - left + part_N1HW * (square + part_N1HW * cubic))
    return value_NCHW.clamp_(0.0, 255.0).to(torch.uint8).masked_fill_(outside_N1HW, FILL)


def shear_y(images_NCHW: Tensor, slope_N: Magnitudes) -> Tensor:
    """Return images whose column x is shifted by slope * (x + 1/2) pixels, see `shear_x`."""
    return shear_x(images_NCHW.mT, slope_N).mT


def translate_x(images_NCHW: Tensor, fraction_N: Magnitudes) -> Tensor:
    """Return images shifted to the left by a fraction of their width, in whole pixels."""
    width = images_NCHW.shape[3]
    shift_N = torch.from_numpy(np.floor(0.5 + fraction_N * width).astype(np.int64))
    device = images_NCHW.device
    column_N1W = torch.arange(width, device=device) + sent(shift_N, device).view(-1, 1, 1)
    outside_N11W = ((column_N1W < 0) | (column_N1W >= width)).unsqueeze(1)
    column_NHW = column_N1W.expand(-1, images_NCHW.shape[2], -1)
    return _columns(images_NCHW, column_NHW).masked_fill_(outside_N11W, FILL)


def translate_y(images_NCHW: Tensor, fraction_N: Magnitudes) -> Tensor:
    """Return images shifted upwards by a fraction of their height, in whole pixels."""
    return translate_x(images_NCHW.mT, fraction_N).mT


def rotate(images_NCHW: Tensor, degrees_N: Magnitudes) -> Tensor:
    """Return images turned counter-clockwise around their centre, nearest pixel."""
    count, channels, height, width = images_NCHW.shape
    device = images_NCHW.device
    matrix_6N = sent(torch.from_numpy(_fixed_rotation(degrees_N, height, width)), device)
    a, b, c, d, e, f = matrix_6N.view(6, -1, 1, 1).unbind()
    x_W = torch.arange(width, device=device)
    y_H1 = torch.arange(height, device=device)[:, None]
    column_NHW = (a * x_W + b * y_H1 + c) >> 16
    row_NHW = (d * x_W + e * y_H1 + f) >> 16
    outside_NHW = (column_NHW < 0) | (column_NHW >= width) | (row_NHW < 0) | (row_NHW >= height)
    flat_NHW = row_NHW.clamp_(0, height - 1) * width + column_NHW.clamp_(0, width - 1)
    flat_NCP = flat_NHW.view(count, 1, -1).expand(-1, channels, -1)
    turned_NCP = images_NCHW.reshape(count, channels, -1).gather(2, flat_NCP)
    return turned_NCP.view_as(images_NCHW).masked_fill_(outside_NHW.unsqueeze(1), FILL)


def _fixed_rotation(degrees_N: Magnitudes, height: int, width: int) -> NDArray[np.int64]:
    """Return (6, N) coefficients, in 1/65536 pixel, from a pixel to the centre of its source."""
    angle_N = np.radians(degrees_N)
    cos_N, sin_N = np.cos(angle_N).round(15), np.sin(angle_N).round(15)
    x, y = width / 2.0, height / 2.0
    shift_x_N = x - cos_N * x + sin_N * y
    shift_y_N = y - sin_N * x - cos_N * y
    rows = (
        cos_N, -sin_N, shift_x_N + 0.5 * cos_N - 0.5 * sin_N,
        sin_N, cos_N, shift_y_N + 0.5 * sin_N + 0.5 * cos_N,
    )  # fmt: skip
    return np.floor(np.stack(rows) * 65536.0 + 0.5).astype(np.int64)


def _columns(images_NCHW: Tensor, column_NHW: Tensor) -> Tensor:
    """Return for each pixel another one of its row, the nearest if there is none."""
    column_N1HW = column_NHW.clamp(0, images_NCHW.shape[3] - 1).unsqueeze(1)
    return images_NCHW.gather(3, column_N1HW.expand(-1, images_NCHW.shape[1], -1, -1))
