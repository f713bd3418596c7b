"""Paths into an event: JSON Pointer (RFC 6901), with `*` for every element of a list and `~2` for a star."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

DEPTH_MAX = 16
STAR = None
"""The segment that stands for every element of a list."""
Path = tuple[str | None, ...]

_BROKEN_ESCAPE = re.compile(r"~(?![012])")


def parse(text: str) -> Path:
    """The segments of a path; ValueError says what is wrong with it."""
    if not text.startswith("/"):
        raise ValueError("must begin with '/data/' or '/meta/'")
    if _BROKEN_ESCAPE.search(text):
        raise ValueError("holds a '~' that is not part of '~0', '~1' or '~2'")
    segments = tuple(STAR if one == "*" else _decoded(one) for one in text[1:].split("/"))
    if segments[0] not in ("data", "meta") or len(segments) < 2:
        raise ValueError("must begin with '/data/' or '/meta/'")
    if len(segments) > DEPTH_MAX:
        raise ValueError(f"may have at most {DEPTH_MAX} segments")
    return segments


def _decoded(segment: str) -> str:
    # `~0` last: '~01' is the text '~1' and no slash.
    return segment.replace("~1", "/").replace("~2", "*").replace("~0", "~")


def values_at(document: Any, path: Sequence[str | None]) -> list[Any]:
    """Every value that a path leads to; a path that leads nowhere gives none."""
    found = [document]
    for segment in path:
        if segment is STAR:
            found = [inner for one in found if isinstance(one, list) for inner in one]
        else:
            found = [inner for one in found for inner in _step(one, segment)]
        if not found:
            return []
    return found


def _step(value: Any, segment: str) -> tuple[Any, ...]:
    if isinstance(value, dict):
        return (value[segment],) if segment in value else ()
    if isinstance(value, list) and segment.isascii() and segment.isdigit() and len(segment) < 10:
        return (value[int(segment)],) if int(segment) < len(value) else ()
    return ()
