"""Images are checked before they are unpacked, freed of their metadata, and resized."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

from django_stream.protocol.errors import ApiError, invalid
from django_stream.server.conf import server_settings
from django_stream.server.extras import MissingExtra
from django_stream.server.files.kinds import HEAD_BYTES, IMAGES, content_type_of, is_lossy_webp

if TYPE_CHECKING:
    from PIL import Image

RESIZE_MODES = ("clip", "crop", "scale", "fill")
CROP_SIDES = {"left": (0.0, None), "right": (1.0, None), "top": (None, 0.0), "bottom": (None, 1.0)}
FRAMES_MAX = 1000
# What a pixel costs to unpack and to pack again, in time and memory, beside one of a JPEG (measured).
_PIXEL_COST = {"JPEG": 1, "PNG": 3, "GIF": 3, "WEBP": 7}
# What the colours need. All other metadata is dropped.
_KEPT = ("icc_profile", "transparency", "gamma")


# As colour profiles call them; of other modes, it is RGB.
_COLOUR_SPACES = {
    **dict.fromkeys(("1", "L", "LA", "I", "I;16", "I;16B"), b"GRAY"),
    "CMYK": b"CMYK",
    "LAB": b"Lab ",
}
_QUICK: dict[str, dict[str, Any]] = {"PNG": {"compress_level": 2}}
_RESIZED: dict[str, dict[str, Any]] = {
    **_QUICK,
    "JPEG": {"quality": 90},
    "WEBP": {"quality": 85, "method": 1},
}


def unsupported(file: IO[bytes]) -> ApiError:
    """The refusal of a file that cannot be read as an image, which says what it is instead."""
    file.seek(0)
    found = content_type_of(file.read(HEAD_BYTES))
    if found in IMAGES.values():
        return invalid(f"the {found} image is damaged or cut off", "file")
    return invalid(f"File type {found} is not supported")


@dataclass(frozen=True, slots=True)
class Resizing:
    """How another size of an image is made."""

    width: int | None
    height: int | None
    mode: str = "clip"
    centering: tuple[float, float] = (0.5, 0.5)

    @property
    def name(self) -> str:
        """Distinguishes this size from other sizes of the same image."""
        across, down = self.centering
        return f"{self.mode}-{self.width or ''}x{self.height or ''}-{across:g}-{down:g}"

    def size(self, image: Image.Image) -> tuple[int, int]:
        """Width and height asked for; a missing one keeps the proportions, or stays in the other modes."""
        wide, high = image.size
        if self.mode in ("clip", "scale") and None in (self.width, self.height):
            factor = (self.width or 0) / wide or (self.height or 0) / high
            return self.width or max(round(wide * factor), 1), self.height or max(round(high * factor), 1)
        return self.width or wide, self.height or high


def cleaned(file: IO[bytes]) -> tuple[io.BytesIO, str]:
    """The image as its maker sees it, upright and without metadata; with its content type."""
    with _opened(file) as image:
        form = _form(image)
        animated = getattr(image, "is_animated", False) and form != "JPEG"
        return (_animation(image, form, file) if animated else _still(image, form, file)), IMAGES[form]


def resized(file: IO[bytes], resizing: Resizing) -> tuple[io.BytesIO, str]:
    """Another size of a stored image, of an animation its first frame."""
    from PIL import Image, ImageOps

    with _opened(file) as image:
        form = _form(image)
        wide, high = (min(side, server_settings.IMAGE_SIDE_MAX) for side in resizing.size(image))
        # A JPEG is unpacked at a fraction of its size where that is enough.
        image.draft(None, (2 * wide, 2 * high))
        picture = _true_colours(image)
        if resizing.mode == "clip":
            picture.thumbnail((wide, high), Image.Resampling.LANCZOS)
        elif resizing.mode == "crop":
            picture = ImageOps.fit(picture, (wide, high), centering=resizing.centering)
        elif resizing.mode == "scale":
            picture = picture.resize((wide, high), Image.Resampling.LANCZOS)
        else:
            picture = ImageOps.pad(picture, (wide, high), color=_background(picture))
        picture.info = _kept(image)
        return _saved(picture, form, **_RESIZED.get(form, {})), IMAGES[form]


@contextmanager
def _opened(file: IO[bytes]) -> Iterator[Image.Image]:
    """An opened image whose number of pixels was checked before any of them is unpacked."""
    try:
        from PIL import Image
    except ImportError as error:
        raise MissingExtra("images/ needs Pillow", "images") from error
    try:
        with Image.open(file, formats=list(IMAGES)) as image:
            _check_pixels(image, 1)
            yield image
    except ApiError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_many_pixels() from error
    except Exception as error:  # decoders raise whatever a broken file makes them raise
        raise unsupported(file) from error


def _check_pixels(image: Image.Image, frames: int) -> None:
    most = server_settings.IMAGE_PIXELS_MAX // _PIXEL_COST[_form(image)]
    if image.width * image.height * frames > most or frames > FRAMES_MAX:
        raise _too_many_pixels(f"an image of this type may have at most {most} pixels")


def _too_many_pixels(detail: str = "the image has too many pixels") -> ApiError:
    return invalid(f"{detail}, all frames together, and {FRAMES_MAX} frames", "file")


def _form(image: Image.Image) -> str:
    # Some cameras make JPEGs of several pictures: the first one is taken.
    return "JPEG" if image.format == "MPO" else str(image.format)


def _still(image: Image.Image, form: str, file: IO[bytes]) -> io.BytesIO:
    from PIL import ImageOps

    ImageOps.exif_transpose(image, in_place=True)
    image.load()
    image.info = _kept(image)
    if form == "JPEG":
        return _saved(image, form, **_same_quality(image))
    return _saved(image, form, **(_webp_options(file) if form == "WEBP" else _QUICK.get(form, {})))


def _same_quality(image: Image.Image) -> dict[str, Any]:
    """As Pillow's "keep", which knows JPEGs of several pictures not."""
    from PIL import JpegImagePlugin

    assert isinstance(image, JpegImagePlugin.JpegImageFile)
    sampling = JpegImagePlugin.get_sampling(image)
    return {"qtables": image.quantization, **({} if sampling == -1 else {"subsampling": sampling})}


def _webp_options(file: IO[bytes]) -> dict[str, Any]:
    """Lossy stays lossy and lossless lossless, by the methods that are quick."""
    if is_lossy_webp(file):
        return {"quality": 80, "method": 0}
    return {"lossless": True, "quality": 25, "method": 1}


def _animation(image: Image.Image, form: str, file: IO[bytes]) -> io.BytesIO:
    # Without a word about it, an animation plays once.
    options = {"loop": image.info["loop"]} if "loop" in image.info else {}
    profile = image.info.get("icc_profile")
    durations: list[int] = []

    def frames() -> Iterator[Image.Image]:
        for index in range(FRAMES_MAX + 1):
            _check_pixels(image, index + 1)
            durations.append(int(image.info.get("duration") or 100))
            frame = _true_colours(image).convert("RGBA")
            frame.info = {"icc_profile": profile} if profile else {}
            yield frame
            try:
                image.seek(index + 1)
            except EOFError:
                return

    first, *rest = frames()
    if form == "WEBP":
        options |= _webp_options(file)
    elif form == "GIF" and any(_is_transparent(frame) for frame in (first, *rest)):
        # Each frame is the whole picture: the one before must not show through it.
        options["disposal"] = 2
    return _saved(first, form, save_all=True, append_images=rest, duration=durations, **options)


def _is_transparent(frame: Image.Image) -> bool:
    return frame.getchannel("A").getextrema() != (255, 255)


def _kept(image: Image.Image) -> dict[str | tuple[int, int], Any]:
    return {name: image.info[name] for name in _KEPT if name in image.info}


def _true_colours(image: Image.Image) -> Image.Image:
    """A copy in true colours of 8 bits, since palettes cannot be resized well."""
    if image.mode in ("RGB", "RGBA", "L", "LA"):
        return image.copy()
    if image.mode.startswith("I"):
        # Gray of 16 bits, of which others would take the lower half.
        return image.convert("I").point(lambda value: value * (1 / 256)).convert("L")
    return image.convert("RGBA" if image.mode in ("P", "PA") or "transparency" in image.info else "RGB")


def _background(image: Image.Image) -> tuple[int, ...] | int:
    transparent = {"RGBA": (0, 0, 0, 0), "LA": (0, 0)}
    return 255 if image.mode == "L" else transparent.get(image.mode, (255, 255, 255))


def _saved(image: Image.Image, form: str, **options: Any) -> io.BytesIO:
    if form == "JPEG" and image.mode in ("RGBA", "LA", "P", "PA"):
        image = image.convert("RGB")
    file = io.BytesIO()
    profile = image.info.pop("icc_profile", None)
    # A profile of other colours than the picture's was that of what it was made from.
    if profile and profile[16:20] == _COLOUR_SPACES.get(image.mode, b"RGB "):
        options["icc_profile"] = profile
    image.save(file, format=form, **options)
    file.seek(0)
    return file
