"""From a photograph to an image like those of the data set (chapter 1)."""

import io
import warnings

import numpy as np
import torch
from PIL import Image, ImageOps
from torch.nn import functional as F

from helpers.any_data import to_floats
from helpers.digits import like_mnist
from helpers.finding import find_thing

FORMATS = ("JPEG", "PNG", "GIF", "BMP", "WEBP")  # what browsers show; Pillow knows many more, some of them dangerous
MOST_PIXELS = 25_000_000
LONGEST_SIDE = 1024  # pixels that are kept of a photograph: plenty for an image of 28
BRIGHTNESS = (0.299, 0.587, 0.114)  # of red, green and blue for the eye (ITU-R BT.601)
INVERT = {"auto": None, "yes": True, "no": False}  # a list for the labs
NOTHING = "Nothing in the photograph stands out from its background: take one thing, lighter or darker than the rest."
LAST_STEP = "as in the data set"


class PhotoError(ValueError):
    """A file is not a usable photograph; the message says why, and what to do."""


def read_photo(content, longest=LONGEST_SIDE, square=False):
    """The photograph in `content`, the bytes of an image file: (3, height, width) bytes, at most `longest` a side.

    It is upright, and the first frame of a moving picture. Transparency becomes white, or black if the rest is light:
    white ink would vanish on white. square: True keeps only the square in its middle. Raises PhotoError.
    """
    if not content:
        raise PhotoError("This file is empty. Choose another one.")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's are for programmers; what matters to a student becomes a PhotoError
        return _unpacked(_opened(content), longest, square)


def _opened(content):
    """The picture, its size known but nothing unpacked yet: a small file can claim billions of pixels."""
    too_many = f"more than {MOST_PIXELS // 1_000_000} million pixels. Make it smaller, or take a screenshot of it."
    try:
        image = Image.open(io.BytesIO(content), formats=FORMATS)
    except Image.DecompressionBombError:
        raise PhotoError(f"This picture has {too_many}") from None
    except Exception:
        raise PhotoError("This picture cannot be read here: save it (also a HEIC) as JPEG or PNG.") from None
    width, height = image.size
    if width * height > MOST_PIXELS:
        raise PhotoError(f"This picture has {width:,}×{height:,} pixels, {too_many}")
    return image


def _unpacked(image, longest, square):
    """The pixels of an opened picture: (3, height, width) bytes."""
    # Whatever Pillow meets in a damaged file, from OSError to SyntaxError, means the same to a student.
    try:
        image.draft(None, (longest, longest))  # avoids unpacking a large JPEG at full size
        image = ImageOps.exif_transpose(image)  # a phone held sideways only notes how to turn the picture
        if image.mode.startswith("I"):  # grey of 16 bits, 0 to 65,535
            image = Image.fromarray((np.asarray(image) / 257).astype("uint8"))
        if square:  # before it is made smaller, or little would be left of a strip's height
            side = min(image.size)
            left, top = ((length - side) // 2 for length in image.size)
            image = image.crop((left, top, left + side, top + side))
        image = image.convert("RGBA")
        image.thumbnail((longest, longest))
        if image.getchannel("A").getextrema()[0] < 255:
            paper = Image.new("RGBA", image.size, "black" if _is_light(image) else "white")
            paper.alpha_composite(image)
            image = paper
        return torch.from_numpy(np.array(image.convert("RGB"))).movedim(-1, 0).contiguous()
    except Exception:
        raise PhotoError("This picture is damaged, or its end is missing. Save or send it again.") from None


def _is_light(image):
    """True if the visible part of a picture with transparency, in mode RGBA, would hardly show on white paper."""
    grey, alpha = np.asarray(image.convert("RGB").convert("L"), float), np.asarray(image.getchannel("A"), float)
    return bool((grey * alpha).sum() > 190 * alpha.sum())


def photo_steps(photo, invert=None):
    """The way from a photograph to an image as in Fashion-MNIST, step by step: {title: image}, all of bytes.

    photo: (3, height, width) bytes. The images: the photo, three of (1, height, width) and (1, size, size), and last
    the (1, 28, 28) that a network takes. invert: whether to swap light and dark; None does so if the thing is darker
    than the background, since the data set's background is black. If nothing stands out, the last two are black.

    The makers of Fashion-MNIST took the same steps in a different order (Xiao, Rasul and Vollgraf, 2017, section 2).
    """
    title, grey, thing = "grey", brightness(photo), find_thing(photo)
    if thing is None:
        turned, cropped = (255 - grey if invert else grey), torch.zeros(1, 28, 28)
    else:
        background = brightness(thing.background)
        if not _shows(grey - background, photo, thing):
            title, grey, background = "difference in colour", *_colour_difference(photo, thing)
        darker = _is_dark(grey, background, thing)
        turned = 255 - grey if invert or (invert is None and darker) else grey
        cropped = _cropped(255 - grey if darker else grey, 255 - background if darker else background, thing)
        if invert is not None and invert != darker:
            cropped = 255 - cropped
    # Each of the 28×28 pixels is the mean of the pixels that it covers.
    small = F.adaptive_avg_pool2d(cropped, 28)
    inverted = invert or (invert is None and thing is not None and darker)
    steps = {title: grey, "inverted" if inverted else "not inverted": turned, "cropped": cropped, LAST_STEP: small}
    return {"photo": photo} | {title: image.round().byte() for title, image in steps.items()}


def as_example(photo, invert=None):
    """A photograph, (3, height, width) bytes, as an image like those of Fashion-MNIST, (1, 28, 28) bytes.

    It is all black if nothing stands out from the background.
    """
    return photo_steps(photo, invert)[LAST_STEP]


def as_digit(photo, invert=None):
    """A photographed digit, (3, height, width) bytes, as an image like those of MNIST, (1, 28, 28) bytes."""
    cropped = photo_steps(photo, invert)["cropped"][0]
    return like_mnist(cropped)


def as_grey(image):
    """One image, (height, width), (1, height, width) or, in colour, (3, height, width), as (height, width) floats.

    From 0 to 1; colours become their brightness.
    """
    image = to_floats(image.squeeze()).float()
    return image if image.ndim == 2 else brightness(image)[0]


def brightness(photo):
    """A photograph in grey: (3, height, width), 0 to 255, to (1, height, width) floats."""
    return (photo.float() * torch.tensor(BRIGHTNESS)[:, None, None]).sum(dim=0, keepdim=True)


def _shows(difference, photo, thing):
    """True if brightness alone tells the thing from its background, unlike a red thing on equally bright green."""
    in_colour = (photo - thing.background).square().mean(dim=0).sqrt()[thing.mask].mean()
    return difference[0][thing.mask].abs().mean() > 0.3 * in_colour


def _colour_difference(photo, thing):
    """How far each pixel is from the background's colour in the direction of the thing's; and the background, 0."""
    difference = photo - thing.background
    direction = difference[:, thing.mask].mean(dim=1)
    along = (difference * (direction / direction.norm().clamp(min=1e-6))[:, None, None]).sum(dim=0, keepdim=True)
    return (along / 3**0.5).clamp(0, 255), torch.zeros_like(along)


def _is_dark(grey, background, thing):
    """True if inverting makes the thing more like those of the data set.

    They are bright on black, and in 98% of Fashion-MNIST's images the outermost pixels of a garment are darker than
    the rest, because each is partly background. The same holds in a photograph, whichever is lighter. Only a drawing is
    nearly all rim, so it is compared with the background.
    """
    box = slice(thing.top, thing.bottom), slice(thing.left, thing.right)
    mask, values = thing.mask[box].float()[None], grey[0][box][None]
    darker = bool((values - background[0][box])[mask > 0].mean() < 0)
    if not 20 < background[0][box].mean() < 240:  # on black or on white there is only one possibility
        return darker
    weight = (values - background[0][box]).abs() * mask  # pixels that equal the background may be gaps in the mask
    size = [max(1, round(28 * side / max(mask.shape))) for side in mask.shape[1:]]
    inside = F.adaptive_avg_pool2d(mask, size) > 0.3
    weight, values = F.adaptive_avg_pool2d(weight, size), F.adaptive_avg_pool2d(weight * values, size)
    middle = -F.max_pool2d(-F.pad(inside.float(), (1, 1, 1, 1)), 3, stride=1) > 0.5
    rim = inside & ~middle
    if middle.sum() < rim.sum() / 2:
        return darker
    rim, middle = (values[part].sum() / weight[part].sum().clamp(min=1e-6) for part in (rim, middle))
    return darker if abs(rim - middle) < 8 else bool(rim > middle)


def _cropped(image, background, thing):
    """The square around the thing, on black, with its contrast stretched: (1, size, size) floats, 0 to 255.

    image, background: (1, height, width) floats, 0 to 255, with the thing lighter than the background.
    """
    box = slice(thing.top, thing.bottom), slice(thing.left, thing.right)
    mask = thing.mask[box]
    level = background[0][box].mean()
    image = image[0][box] - background[0][box] + level  # as if the lighting were even
    values = image[mask].sort().values
    black = min(level, values[int(0.02 * (len(values) - 1))])
    white = values[int(0.995 * (len(values) - 1))]
    # The contrast of a faint picture is increased at most eightfold.
    image = ((image - black) * (255 / (white - black).clamp(min=32)) * mask).clamp(0, 255)
    height, width = image.shape
    size = max(height, width)  # as in the data set, the longer side fills the image
    top, left = (size - height) // 2, (size - width) // 2
    return F.pad(image[None], (left, size - width - left, top, size - height - top))
