"""Images made on the spot, and uploads of them."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import pytest

from django_stream.protocol.credentials import EMBEDDED_API_KEY
from django_stream.protocol.messages import ApiRequest, ApiResponse, Upload
from django_stream.server.dispatch import handle
from tests.contract.calling import token


def picture(form: str = "PNG", size: tuple[int, int] = (40, 20), color: Any = "red", **options: Any) -> bytes:
    Image = pytest.importorskip("PIL.Image", reason="needs the extra images")
    file = io.BytesIO()
    Image.new("RGB", size, color).save(file, form, **options)
    return file.getvalue()


def halves(form: str = "PNG", **options: Any) -> bytes:
    """40 by 20: the left half red, the right half blue."""
    Image = pytest.importorskip("PIL.Image", reason="needs the extra images")
    image = Image.new("RGB", (40, 20), "red")
    image.paste("blue", (20, 0, 40, 20))
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


def png_that_claims(width: int, height: int) -> bytes:
    """A few bytes that say they unpack to width by height."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def send(path: str, content: bytes, name: str = "a.png", auth: str | None = None) -> ApiResponse:
    upload = Upload(name, io.BytesIO(content), "image/png")
    return handle(ApiRequest("POST", path, EMBEDDED_API_KEY, auth or token(), upload=upload))


def upload(path: str, content: bytes, name: str = "a.png", auth: str | None = None) -> str:
    answer = send(path, content, name, auth)
    assert answer.status == 201, answer.body
    return answer.body["file"]


def body_of(answer: Any) -> bytes:
    """What a file's address gives. Reading to the end closes the file as a server does."""
    return b"".join(answer.streaming_content)
