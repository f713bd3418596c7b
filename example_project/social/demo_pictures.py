"""Pictures for the demo, painted when it is loaded, so that none has to be kept or fetched."""

from __future__ import annotations

import math
from collections.abc import Callable
from importlib.util import find_spec
from io import BytesIO

from example_project.social import media

_WIDTH, _HEIGHT = 1000, 620
_Colour = tuple[int, int, int]


def painted(name: str) -> str:
    """The address of an uploaded picture; empty where the extra `images` is not installed."""
    if find_spec("PIL") is None:
        return ""
    from django.core.files.uploadedfile import SimpleUploadedFile
    from PIL import Image

    paint = _PICTURES[name]
    picture = Image.new("RGB", (_WIDTH, _HEIGHT))
    picture.putdata([paint(x / _WIDTH, y / _HEIGHT) for y in range(_HEIGHT) for x in range(_WIDTH)])
    file = BytesIO()
    picture.save(file, "JPEG", quality=86)
    return media.store_image(SimpleUploadedFile(f"{name}.jpg", file.getvalue(), "image/jpeg"))


def _mixed(one: _Colour, other: _Colour, share: float) -> _Colour:
    first, second, third = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return first, second, third


def _waves(x: float, y: float) -> _Colour:
    band = math.floor(y * 9 + 0.35 * math.sin(x * 9) + 0.2 * math.sin(x * 23 + 4 * y))
    return _mixed((176, 222, 236), (10, 52, 110), min(max(band / 8, 0), 1))


def _evening(x: float, y: float) -> _Colour:
    sun = math.hypot((x - 0.62) * _WIDTH, (y - 0.47) * _HEIGHT)
    if sun < 52 and y < 0.55:
        return 255, 236, 190
    if y < 0.55:
        return _mixed((74, 58, 120), (250, 150, 88), (y / 0.55) ** 1.4)
    glitter = 0.35 * max(0.0, 1 - abs(x - 0.62) * 7) * (math.sin(y * 260 + 3 * math.sin(x * 40)) > 0)
    return _mixed(_mixed((214, 120, 92), (38, 34, 78), (y - 0.55) / 0.45), (255, 226, 176), glitter)


_PICTURES: dict[str, Callable[[float, float], _Colour]] = {"waves": _waves, "evening": _evening}
