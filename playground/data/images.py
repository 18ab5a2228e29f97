"""Opening an image file: the caller says which formats it may have, never the file itself.

Pillow knows dozens of formats, among them PostScript, which another program would run. Nothing in
this program opens an image in another way (``tests/data/test_images.py`` walks the code for it).
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Sequence

from PIL import Image


class ImageError(ValueError):
    """Bytes that are no image of the formats asked for."""


class TooLargeError(ImageError):
    """An image of more pixels than asked for."""


def open_image(raw: bytes, formats: Sequence[str], pixels: int) -> Image.Image:
    """An image of one of ``formats`` (Pillow's names), known to have at most ``pixels``.

    Only its head has been read: whoever decodes it knows how large it will be.

    Raises:
        ImageError: something else.
        TooLargeError: more pixels.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # a limit of our own
            image = Image.open(io.BytesIO(raw), formats=list(formats))
    except Image.DecompressionBombError as error:
        raise TooLargeError("more pixels than Pillow counts") from error
    except Exception as error:
        # Decoders meet hostile bytes here and raise nearly anything: OSError,
        # SyntaxError, struct.error, ValueError, a warning turned into an error.
        raise ImageError(f"no image of {', '.join(formats)}") from error
    if image.width * image.height > pixels:
        raise TooLargeError(f"{image.width}×{image.height} pixels")
    return image


__all__ = ["ImageError", "TooLargeError", "open_image"]
