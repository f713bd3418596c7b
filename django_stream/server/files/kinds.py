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
    # QuickTime's files from before there were brands.
    *((4, name, "video/quicktime") for name in (b"moov", b"mdat", b"wide", b"pnot")),
)
# Of the files that begin with a list of brands (ISO/IEC 14496-12), by the first one that is known.
_BRANDS = {
    **dict.fromkeys((b"avif", b"avis"), "image/avif"),
    **dict.fromkeys((b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"), "image/heic"),
    b"qt  ": "video/quicktime",
    **dict.fromkeys((b"M4A ", b"M4B ", b"M4P "), "audio/mp4"),
    **dict.fromkeys((b"3gp4", b"3gp5", b"3gp6"), "video/3gpp"),
}
# Brands that say little: another one in the list may say more.
_GENERAL = {**dict.fromkeys((b"mif1", b"msf1"), "image/heif")}


def content_type_of(head: bytes) -> str:
    """The content type of a file that begins like this; the general one when nothing is known of it."""
    if head[4:8] == b"ftyp":
        return _by_brand(head)
    for offset, signature, content_type in _SIGNATURES:
        if head.startswith(signature, offset) and (offset != 8 or head.startswith(b"RIFF")):
            return content_type
    return UNKNOWN


def _by_brand(head: bytes) -> str:
    size = min(int.from_bytes(head[:4], "big"), len(head))
    # The main brand, a version, and the brands that it is compatible with.
    main, *others = (head[start : start + 4] for start in (8, *range(16, size - 3, 4)))
    if main in _BRANDS:
        return _BRANDS[main]
    # A film may be readable as many things, a picture of a general brand is what else it names.
    found = (_BRANDS[brand] for brand in others if main in _GENERAL and brand in _BRANDS)
    return next(found, _GENERAL.get(main, "video/mp4"))


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
