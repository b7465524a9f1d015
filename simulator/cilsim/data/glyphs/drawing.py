"""Images from masters: one batch of tensor operations, every pixel independent of the batch size.

Only elementwise and per-image operations are used (no matrix products), so that the bytes do not
depend on thread count or chunk. Ink and colours are in [0, 1].

Axis letters: B batch, C channel, H W pixels (32), P uniform numbers, M masters.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

SIDE = 32
_LUMA = (0.299, 0.587, 0.114)


class Draws:
    """Hands out a table of uniform numbers (B, P) column by column, each column once."""

    def __init__(self, uniform_BP: Tensor) -> None:
        self._uniform_BP = uniform_BP
        self._used = 0

    def block(self, columns: int) -> Tensor:
        """Return the next columns (B, columns), in [0, 1)."""
        first, self._used = self._used, self._used + columns
        return self._uniform_BP[:, first : self._used]

    def between(self, low: float, high: float) -> Tensor:
        """Return one number per image (B, 1, 1) in [low, high)."""
        return (low + (high - low) * self.block(1))[:, :, None]

    def below(self, count: int) -> Tensor:
        """Return one integer per image (B,) in 0 .. count - 1."""
        return (self.block(1)[:, 0] * count).long().clamp_(max=count - 1)


def draw_images(
    masters_MHW: Tensor, clutter_MHW: Tensor, uniform_BP: Tensor, normal_BCHW: Tensor
) -> Tensor:
    """Return (B, 3, 32, 32) uint8 images of one class.

    Args:
        masters_MHW: uint8 drawings of the class in every face.
        clutter_MHW: uint8 drawings whose fragments lie at the border.
        uniform_BP: all random choices of each image, `choices.UNIFORMS` columns in [0, 1); the
            first one is the face, which `choices.faces_of` reads too.
        normal_BCHW: the pixel noise before scaling.
    """
    draws = Draws(uniform_BP)
    glyph_BHW = _glyph(masters_MHW, draws)
    fragment_BHW = _fragment(clutter_MHW, draws)
    ground_BC, light_B = _ground_colour(draws)
    image_BCHW = ground_BC[:, :, None, None] + _gradient(draws) + _clouds(draws)
    image_BCHW = _paint(image_BCHW, fragment_BHW, _contrasting(light_B, draws))
    image_BCHW = _paint(image_BCHW, glyph_BHW, _contrasting(light_B, draws))
    image_BCHW = image_BCHW + draws.between(0.02, 0.10)[..., None] * normal_BCHW
    return image_BCHW.clamp(0.0, 1.0).mul(255.0).round().to(torch.uint8)


def _glyph(masters_MHW: Tensor, draws: Draws) -> Tensor:
    ink_BHW = _stroke(masters_MHW, draws.below(len(masters_MHW)), draws.between(-0.8, 1.0))
    placed_BHW = _place(
        ink_BHW,
        right=draws.between(-0.18, 0.18),
        down=draws.between(-0.18, 0.18),
        scale=draws.between(0.70, 1.05),
        angle=draws.between(-0.40, 0.40),
        shear=draws.between(-0.30, 0.30),
        stretch=draws.between(-0.20, 0.20),
    )
    soft_BHW = F.avg_pool2d(placed_BHW[:, None], 3, stride=1, padding=1)[:, 0]
    return torch.lerp(placed_BHW, soft_BHW, draws.between(0.0, 0.7))


def _fragment(clutter_MHW: Tensor, draws: Draws) -> Tensor:
    ink_BHW = clutter_MHW[draws.below(len(clutter_MHW))].float() / 255.0
    turn = draws.between(-3.14159, 3.14159)
    distance = draws.between(0.85, 1.15)
    return _place(
        ink_BHW,
        right=distance * torch.cos(turn),
        down=distance * torch.sin(turn),
        scale=draws.between(0.5, 0.9),
        angle=draws.between(-3.14159, 3.14159),
        shear=draws.between(-0.3, 0.3),
        stretch=draws.between(-0.2, 0.2),
    )


def _stroke(masters_MHW: Tensor, chosen_B: Tensor, weight: Tensor) -> Tensor:
    """Return the chosen masters with thinner (weight towards -1) or bolder (towards 1) strokes."""
    ink_MHW = masters_MHW.float() / 255.0
    bold_MHW = F.max_pool2d(ink_MHW[:, None], 3, stride=1, padding=1)[:, 0]
    thin_MHW = -F.max_pool2d(-ink_MHW[:, None], 3, stride=1, padding=1)[:, 0]
    bolder = weight.clamp(min=0.0) * (bold_MHW - ink_MHW)[chosen_B]
    thinner = weight.clamp(max=0.0) * (ink_MHW - thin_MHW)[chosen_B]
    return ink_MHW[chosen_B] + bolder + thinner


def _place(
    ink_BHW: Tensor,
    *,
    right: Tensor,
    down: Tensor,
    scale: Tensor,
    angle: Tensor,
    shear: Tensor,
    stretch: Tensor,
) -> Tensor:
    """Return the ink under an affine map, in a 32 x 32 image whose sides run from -1 to 1."""
    axis = (torch.arange(SIDE, dtype=torch.float32) + 0.5) * (2.0 / SIDE) - 1.0
    across, along = (axis[None, None, :] - right) / scale, (axis[None, :, None] - down) / scale
    cosine, sine, factor = torch.cos(angle), torch.sin(angle), torch.exp(stretch)
    x = cosine * across + sine * along
    y = cosine * along - sine * across
    grid_BHWX = torch.stack(((x - shear * y) / factor, y * factor), dim=-1)
    return F.grid_sample(ink_BHW[:, None], grid_BHWX, align_corners=False)[:, 0]


def _ground_colour(draws: Draws) -> tuple[Tensor, Tensor]:
    """Return the background's colour (B, 3) and its lightness (B,)."""
    ground_BC = 0.15 + 0.7 * draws.block(3)
    return ground_BC, _lightness(ground_BC)


def _contrasting(light_B: Tensor, draws: Draws) -> Tensor:
    """Return a colour (B, 3) lighter than a dark ground or darker than a light one."""
    step_B = draws.between(0.22, 0.55)[:, 0, 0]
    target_B = torch.where(light_B > 0.5, light_B - step_B, light_B + step_B)
    tint_BC = 0.5 * (draws.block(3) - 0.5)
    return tint_BC + (target_B - _lightness(tint_BC))[:, None]


def _lightness(colour_BC: Tensor) -> Tensor:
    red, green, blue = colour_BC.unbind(dim=1)
    return _LUMA[0] * red + _LUMA[1] * green + _LUMA[2] * blue


def _gradient(draws: Draws) -> Tensor:
    """Return a linear change of colour across the image (B, 3, 32, 32)."""
    axis = (torch.arange(SIDE, dtype=torch.float32) + 0.5) * (2.0 / SIDE) - 1.0
    angle = draws.between(-3.14159, 3.14159)
    ramp_BHW = torch.cos(angle) * axis[None, None, :] + torch.sin(angle) * axis[None, :, None]
    colour_BC = draws.between(0.0, 0.30)[:, 0] * (2.0 * draws.block(3) - 1.0)
    return colour_BC[:, :, None, None] * ramp_BHW[:, None]


def _clouds(draws: Draws) -> Tensor:
    """Return smooth random patches (B, 3, 32, 32)."""
    strength = draws.between(0.0, 0.35)[..., None]
    knots_BCHW = (draws.block(75) - 0.5).reshape(-1, 3, 5, 5)
    smooth_BCHW = F.interpolate(knots_BCHW, (SIDE, SIDE), mode="bilinear", align_corners=True)
    return strength * smooth_BCHW


def _paint(image_BCHW: Tensor, ink_BHW: Tensor, colour_BC: Tensor) -> Tensor:
    return torch.lerp(image_BCHW, colour_BC[:, :, None, None], ink_BHW[:, None])
