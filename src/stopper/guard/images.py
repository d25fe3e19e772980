"""Make an uploaded image anew from its pixels: what was hidden behind, between or before them is gone, the place it was taken at too.

Needs Pillow: ``pip install "stopper[images]"``. Pillow itself only warns of images from 89 to 179 million pixels and raises above;
here the bound is checked before a pixel is read.
"""

from __future__ import annotations

import importlib.util
import io
import warnings
from typing import Any, Final

from stopper.errors import ConfigurationError
from stopper.guard.kinds import Kind

FORMATS: Final = {"png": "PNG", "jpg": "JPEG", "gif": "GIF", "webp": "WEBP"}
"""Pillow's names of the formats."""
MODES: Final = {
    "PNG": ("RGBA", "RGB", "L", "LA", "P", "1"),
    "JPEG": ("RGB", "L"),
    "GIF": ("RGBA", "RGB", "L", "P"),
    "WEBP": ("RGBA", "RGB"),
}
"""The modes in which each format can be saved."""
FRAMES: Final = 500
"""The most frames of a moving image."""


class BadImageError(ValueError):
    """Say why an image is refused, in a sentence that may be shown."""


def require() -> None:
    """Raise `ConfigurationError` where Pillow is missing."""
    if importlib.util.find_spec("PIL") is None:
        raise ConfigurationError(
            'uploaded images are made anew, which needs Pillow: pip install "stopper[images]" (or allow no images)'
        )


def remade(content: bytes, kind: Kind, most_pixels: int) -> bytes:
    """Return an image of the same kind with the same pixels and nothing else; raise `BadImageError` where it is none.

    Args:
        content: The image as it was uploaded.
        kind: What it says it is.
        most_pixels: The most pixels of all its frames together.
    """
    require()
    from PIL import Image

    try:
        with warnings.catch_warnings():
            # Pillow's own bound is softer than ours, and damaged metadata is dropped.
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(content), formats=[FORMATS[kind.name]]) as image:
                _bound(image, most_pixels)
                return _saved(image, kind)
    except BadImageError:
        raise
    except Exception as error:  # a decoder raises whatever its format makes it stumble over
        raise BadImageError("The image is damaged.") from error


def _bound(image: Any, most_pixels: int) -> None:
    """Raise `BadImageError` for an image with too many pixels, before they are read."""
    width, height = image.size
    if width * height > most_pixels:
        raise BadImageError("The image has too many pixels.")
    frames = getattr(image, "n_frames", 1)
    if frames > FRAMES or frames * width * height > 4 * most_pixels:
        raise BadImageError("The image has too many frames.")


def _saved(image: Any, kind: Kind) -> bytes:
    """Return an image as its pixels alone make it, turned as its metadata says it was held."""
    from PIL import ImageOps, ImageSequence

    format_ = FORMATS[kind.name]
    moving = getattr(image, "n_frames", 1) > 1 and format_ != "JPEG"
    made = io.BytesIO()
    if moving:
        durations, frames = [], []
        for frame in ImageSequence.Iterator(image):
            durations.append(int(frame.info.get("duration", 100) or 100))
            frames.append(_plain(frame, "WEBP"))
        more = {"save_all": True, "append_images": frames[1:], "duration": durations, "loop": 0}
        frames[0].save(made, format_, **more)
        return made.getvalue()
    still = _plain(ImageOps.exif_transpose(image), format_)
    still.save(made, format_, **({"quality": 90} if format_ in {"JPEG", "WEBP"} else {}))
    return made.getvalue()


def _plain(image: Any, format_: str) -> Any:
    """Return a copy of an image's pixels without anything that came with them."""
    from PIL import Image

    mode = image.mode if image.mode in MODES[format_] else ("RGB" if format_ == "JPEG" else "RGBA")
    if image.mode == "P" and format_ != "JPEG":
        mode = "RGBA"
    source = image if image.mode == mode else image.convert(mode)
    bare = Image.new(mode, source.size)
    bare.paste(source)
    return bare
