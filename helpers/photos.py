"""From a photograph to an image like those of the data set."""

import io
import warnings

import numpy as np
import torch
from PIL import Image, ImageOps
from torch.nn import functional as F

FORMATS = ("JPEG", "PNG", "GIF", "BMP", "WEBP")  # what browsers show; Pillow knows many more, some of them dangerous
MOST_PIXELS = 25_000_000
LONGEST_SIDE = 1024  # pixels that are kept of a photograph: plenty for an image of 28
BRIGHTNESS = (0.299, 0.587, 0.114)  # of red, green and blue for the eye (ITU-R BT.601)
LAST_STEP = "as in the data set"


class PhotoError(ValueError):
    """A file is no photograph that can be used; the message says why, and what to do."""


def read_photo(content):
    """The photograph in `content`, the bytes of an image file: (3, height, width) bytes, at most 1,024 pixels a side.

    It stands upright, what is transparent is white, and of a moving picture it is the first frame. Raises PhotoError.
    """
    if not content:
        raise PhotoError("This file is empty. Choose another one.")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's are for programmers; what matters to a student becomes a PhotoError
        return _unpacked(_opened(content))


def _opened(content):
    """The picture, with its size known but nothing unpacked: a small file can promise billions of pixels."""
    too_many = f"more than {MOST_PIXELS // 1_000_000} million pixels. Make it smaller, or take a screenshot of it."
    try:
        image = Image.open(io.BytesIO(content), formats=FORMATS)
    except Image.DecompressionBombError:
        raise PhotoError(f"This picture has {too_many}") from None
    except Exception:
        raise PhotoError("This is no picture that can be read here: save it as JPEG or PNG (a HEIC too).") from None
    width, height = image.size
    if width * height > MOST_PIXELS:
        raise PhotoError(f"This picture has {width:,}×{height:,} pixels, {too_many}")
    return image


def _unpacked(image):
    """The pixels of an opened picture: (3, height, width) bytes."""
    # Whatever Pillow meets in a damaged file, from OSError to SyntaxError, means the same to a student.
    try:
        image.draft(None, (LONGEST_SIDE, LONGEST_SIDE))  # spares the work of unpacking a large JPEG in full
        image = ImageOps.exif_transpose(image)  # a phone held sideways only notes how to turn the picture
        if image.mode.startswith("I"):  # grey of 16 bits, 0 to 65,535
            image = Image.fromarray((np.asarray(image) / 257).astype("uint8"))
        image = image.convert("RGBA")
        image.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
        paper = Image.new("RGBA", image.size, "white")
        paper.alpha_composite(image)
        return torch.from_numpy(np.array(paper.convert("RGB"))).movedim(-1, 0).contiguous()
    except Exception:
        raise PhotoError("This picture is damaged, or its end is missing. Save or send it once more.") from None


def photo_steps(photo, invert=None):
    """The way from a photograph to an image as in Fashion-MNIST, step by step: {title: image}, all of bytes.

    photo: (3, height, width) bytes. The images: the photo, three of (1, height, width) and (1, size, size), and last
    the (1, 28, 28) that a network takes. invert: whether light and dark are swapped; None does it where the photo's
    border is light, for the data set's background is black.

    The makers of Fashion-MNIST went this way too, in another order (Xiao, Rasul and Vollgraf, 2017, section 2).
    """
    grey = (photo.float() * torch.tensor(BRIGHTNESS)[:, None, None]).sum(dim=0, keepdim=True)
    if invert is None:
        invert = bool(_border(grey).median() > 127)
    turned = 255 - grey if invert else grey
    cropped = _cropped(turned)
    # Each of the 28×28 pixels is the mean of those that lie under it.
    small = F.adaptive_avg_pool2d(cropped, 28)
    title = "inverted" if invert else "not inverted"
    steps = {"grey": grey, title: turned, "cropped": cropped, LAST_STEP: small}
    return {"photo": photo} | {title: image.round().byte() for title, image in steps.items()}


def as_example(photo, invert=None):
    """A photograph, (3, height, width) bytes, as an image like those of Fashion-MNIST, (1, 28, 28) bytes."""
    return photo_steps(photo, invert)[LAST_STEP]


def _border(image):
    """The outermost pixels of an image, (1, height, width), in one row."""
    return torch.cat([image[0, 0], image[0, -1], image[0, :, 0], image[0, :, -1]])


def _cropped(image):
    """The square around the subject, stretched from black to white: (1, size, size).

    image: (1, height, width) floats, 0 to 255. Its border is the background; one that is dark becomes black.
    """
    background = _border(image).median()
    black = background if background < 128 else image.min()
    # A faint picture is made at most four times as strong, or the grain of an empty wall would become the subject.
    image = (image - black).clamp(min=0) * (255 / (image.max() - black).clamp(min=64))
    background = _border(image).median()
    # The subject is where whole blocks of pixels are unlike the background: a speck of dust is not.
    height, width = image.shape[1:]
    block = max(1, min(height, width) // 64)
    unlike = F.avg_pool2d((image - background).abs(), block, ceil_mode=True)[0]
    subject = unlike >= max(unlike.max() / 4, 1)
    if not subject.any():
        subject[:] = True  # nothing stands out: keep everything
    rows, columns = subject.any(dim=1).nonzero().flatten(), subject.any(dim=0).nonzero().flatten()
    top, bottom = block * int(rows[0]), min(block * (int(rows[-1]) + 1), height)
    left, right = block * int(columns[0]), min(block * (int(columns[-1]) + 1), width)
    size = max(bottom - top, right - left)  # in the data set too the longer side fills the image
    top, left = (top + bottom - size) // 2, (left + right - size) // 2
    # Negative padding cuts off; beyond the photo's edge the background goes on.
    return F.pad(image, (-left, left + size - width, -top, top + size - height), value=float(background))
