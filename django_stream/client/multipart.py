"""A file as a multipart body that is read while it is sent."""

from __future__ import annotations

import io
import os
import secrets
from typing import BinaryIO

from urllib3.fields import RequestField

from django_stream.protocol.messages import Upload


class MultipartBody:
    """One `file` field; `read` is what http.client calls, block by block."""

    def __init__(self, upload: Upload) -> None:
        boundary = secrets.token_hex(16)
        part = RequestField("file", "", filename=upload.name)
        part.make_multipart(content_type=upload.content_type or "application/octet-stream")
        head = f"--{boundary}\r\n{part.render_headers()}".encode()
        tail = f"\r\n--{boundary}--\r\n".encode()
        size = _remaining(upload.stream)
        self.content_type = f"multipart/form-data; boundary={boundary}"
        self.length = None if size is None else len(head) + size + len(tail)
        self._parts: list[BinaryIO] = [io.BytesIO(head), upload.stream, io.BytesIO(tail)]

    def read(self, size: int = -1) -> bytes:
        while self._parts:
            if block := self._parts[0].read(size):
                return block
            del self._parts[0]
        return b""


def _remaining(stream: BinaryIO) -> int | None:
    try:
        here = stream.tell()
        end = stream.seek(0, os.SEEK_END)
        stream.seek(here)
    except (OSError, AttributeError):  # io.UnsupportedOperation is an OSError
        return None
    return end - here
