"""Signatures of the oldest clients, by the names of stream-python."""

from __future__ import annotations

import base64

from django_stream.client.tokens import sign

__all__ = ["b64_encode", "sign"]


def b64_encode(s: bytes | str) -> bytes:
    """URL-safe base64 without its padding."""
    return base64.urlsafe_b64encode(s.encode() if isinstance(s, str) else s).rstrip(b"=")
