"""How rows are named where only letters, digits, '_' and '-' may stand: feeds, users, collection entries."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterable
from typing import Any

from django_stream.protocol.feed_ids import FeedID

_WIRE_SAFE = re.compile(r"[\w-]+", re.ASCII)
_ENCODED = "_b32_"


def pk_text(pk: Any) -> str:
    """A primary key as text; a composite one is a JSON list."""
    return json_key(pk) if isinstance(pk, tuple) else str(pk)


def json_key(parts: Iterable[Any]) -> str:
    """Several values as one key: a JSON list of their texts, always written in the same way."""
    return json.dumps([str(part) for part in parts], separators=(",", ":"), ensure_ascii=False)


def wire_id(owner: Any) -> str:
    """A row's primary key as it is, or by a reversible code where it is not wire-safe."""
    key = getattr(owner, "pk", owner)
    if key is None:
        raise ValueError(f"{owner!r} has no primary key, and so no feed: save it, or sign the user in, first")
    text = pk_text(key)
    if _WIRE_SAFE.fullmatch(text) and not text.startswith(_ENCODED):
        return text
    return _ENCODED + base64.b32encode(text.encode()).decode().rstrip("=").lower()


def from_wire_id(text: str) -> str:
    """The inverse of `wire_id`."""
    if not text.startswith(_ENCODED):
        return text
    code = text.removeprefix(_ENCODED).upper()
    try:
        return base64.b32decode(code + "=" * (-len(code) % 8)).decode()
    except (binascii.Error, UnicodeDecodeError):
        return text


def feed_id(slug: str, owner: Any) -> FeedID:
    """The feed of a group that belongs to a row."""
    return FeedID(slug, wire_id(owner))
