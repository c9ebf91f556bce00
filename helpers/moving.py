"""Images that are shifted, turned and scaled (chapter 5)."""

import math

import torch
from torch.nn import functional as F


def moved(images, shift=0, angle=0, scale=1.0):
    """Images shifted right by `shift` pixels, turned clockwise by `angle` degrees, and enlarged (shrunk below 1).

    images: (N, channels, height, width), bytes or floats; returns the same kind. Each new pixel is a mixture of the
    four nearest (bilinear); what comes from outside the image is black. The numbers are those of torchvision's
    `affine`, whose import takes longer than PyTorch's own, since it loads PyTorch's compiler.
    """
    height, width = images.shape[-2:]
    # Coordinates from the centre. Each pixel of the result asks where it comes from: back by the shift, then turned
    # and scaled back. `grid_sample` counts from -1 to 1, from edge to edge.
    y, x = torch.meshgrid(*(torch.arange(n) - (n - 1) / 2 for n in (height, width)), indexing="ij")
    x, turn = x - shift, math.radians(angle)
    from_x = (x * math.cos(turn) + y * math.sin(turn)) / scale
    from_y = (y * math.cos(turn) - x * math.sin(turn)) / scale
    grid = torch.stack([2 * from_x / width, 2 * from_y / height], dim=-1).to(images.device)
    as_floats = images if images.is_floating_point() else images.float()
    result = F.grid_sample(as_floats, grid.expand(len(images), -1, -1, -1).to(as_floats.dtype), align_corners=False)
    return result if images.is_floating_point() else result.round().to(images.dtype)
