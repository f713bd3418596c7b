"""The content type of a file by its first bytes; its name and its sender are not trusted."""

from __future__ import annotations

import io
import struct
from typing import IO

UNKNOWN = "application/octet-stream"
HEAD_BYTES = 512

# Only these are shown by browsers at addresses of this server; images/ takes the same.
IMAGES = {"JPEG": "image/jpeg", "PNG": "image/png", "GIF": "image/gif", "WEBP": "image/webp"}

_SIGNATURES = (
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"GIF87a", "image/gif"),
    (0, b"GIF89a", "image/gif"),
    (8, b"WEBP", "image/webp"),
    (8, b"WAVE", "audio/wav"),
    (0, b"%PDF-", "application/pdf"),
    (0, b"PK\x03\x04", "application/zip"),
    (0, b"\x1f\x8b", "application/gzip"),
    (0, b"ID3", "audio/mpeg"),
    (0, b"OggS", "application/ogg"),
    (0, b"fLaC", "audio/flac"),
    (0, b"\x1aE\xdf\xa3", "video/webm"),
    (4, b"ftypheic", "image/heic"),
    (4, b"ftypheix", "image/heic"),
    (4, b"ftypmif1", "image/heif"),
    (4, b"ftypavif", "image/avif"),
    (4, b"ftypavis", "image/avif"),
    (4, b"ftypqt  ", "video/quicktime"),
    (4, b"ftypM4A ", "audio/mp4"),
    (4, b"ftyp", "video/mp4"),
)


def content_type_of(head: bytes) -> str:
    """The content type of a file that begins like this; the general one when nothing is known of it."""
    for offset, signature, content_type in _SIGNATURES:
        if head.startswith(signature, offset) and (offset != 8 or head.startswith(b"RIFF")):
            return content_type
    return UNKNOWN


def is_lossy_webp(file: IO[bytes]) -> bool:
    """Whether the first picture of a WebP file is a `VP8 ` chunk, and not the lossless `VP8L`."""
    file.seek(12)
    # A picture comes after its colour profile, which few exceed.
    for _ in range(8):
        name, size = struct.unpack("<4sI", file.read(8).ljust(8, b"\0"))
        if name in (b"VP8 ", b"VP8L"):
            return bool(name == b"VP8 ")
        file.seek(16 if name == b"ANMF" else size + size % 2, io.SEEK_CUR)
    return True
