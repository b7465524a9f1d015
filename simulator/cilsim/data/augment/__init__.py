"""Random changes of training images as whole-tensor operations, each image with its own draws.

The draws come from a CPU generator and are copied to the images' device; the arithmetic uses
operations that round alike everywhere, so a seed gives the same images on any device.
"""

from __future__ import annotations

from cilsim.data.augment.pipeline import DRAWS, augment

__all__ = ["DRAWS", "augment"]
