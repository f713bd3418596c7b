"""Primary keys as texts, also where only letters, digits, '_' and '-' may stand."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterable
from typing import Any

_WIRE_SAFE = re.compile(r"[\w-]+", re.ASCII)
_ENCODED = "_b32_"
# Made once: `json.dumps` with these options makes one at each call.
_listed = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode


def pk_text(pk: Any) -> str:
    """A primary key as text; a composite one is a JSON list."""
    return json_key(pk) if isinstance(pk, tuple) else str(pk)


def json_key(parts: Iterable[Any]) -> str:
    """Several values as one key: a JSON list of their texts, always written in the same way."""
    return _listed([str(part) for part in parts])


def encoded(text: str, *, always: bool = False) -> str:
    """A key as it is, or by a reversible code where it is not wire-safe (or `always`)."""
    if not always and _WIRE_SAFE.fullmatch(text) and not text.startswith(_ENCODED):
        return text
    return _ENCODED + base64.b32encode(text.encode()).decode().rstrip("=").lower()


def wire_id(row: Any) -> str:
    """The wire-safe key of a row, or of a primary key: how entries of a collection are named."""
    return encoded(pk_text(getattr(row, "pk", row)))


def from_wire_id(text: str) -> str:
    """The inverse of `encoded`."""
    if not text.startswith(_ENCODED):
        return text
    code = text.removeprefix(_ENCODED).upper()
    try:
        return base64.b32decode(code + "=" * (-len(code) % 8)).decode()
    except (binascii.Error, UnicodeDecodeError):
        return text
