"""Uploads are counted while they arrive, and cut off at the limit."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any, BinaryIO, cast

from django.core.files.uploadhandler import FileUploadHandler
from django.http import HttpRequest
from django.http.multipartparser import MultiPartParserError

from django_stream.protocol.errors import ApiError, invalid
from django_stream.protocol.messages import Upload
from django_stream.server.conf import server_settings

_CHUNK = 64 * 1024
_IN_MEMORY = 1024 * 1024
# The rest of a multipart body: boundaries, headers and other fields.
_FORM_OVERHEAD = 64 * 1024


def too_large() -> ApiError:
    return ApiError.named(
        "PayloadTooLargeException", f"a file may have at most {server_settings.FILE_BYTES_MAX} bytes"
    )


def upload_of(request: HttpRequest) -> Upload | None:
    """The file of a multipart request, in its field `file`."""
    if int(request.META.get("CONTENT_LENGTH") or 0) > server_settings.FILE_BYTES_MAX + _FORM_OVERHEAD:
        raise too_large()
    request.upload_handlers.insert(0, _Counting(request))
    try:
        file = request.FILES.get("file")
    except MultiPartParserError as error:
        raise invalid("the body is no multipart form") from error
    return None if file is None else Upload(file.name or "file", cast("BinaryIO", file), file.content_type)


class _Counting(FileUploadHandler):
    """Stands before the handlers that store, and stops them at the limit."""

    def __init__(self, request: HttpRequest) -> None:
        super().__init__(request)
        self._taken = 0

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        self._taken += len(raw_data)
        if self._taken > server_settings.FILE_BYTES_MAX:
            raise too_large()
        return raw_data

    def file_complete(self, file_size: int) -> None:
        return None


@contextmanager
def spooled(upload: Upload) -> Iterator[IO[bytes]]:
    """A temporary copy of an upload within its limit, which can be read more than once."""
    with tempfile.SpooledTemporaryFile(_IN_MEMORY) as file:
        size = 0
        while chunk := _read(upload.stream):
            size += len(chunk)
            if size > server_settings.FILE_BYTES_MAX:
                raise too_large()
            file.write(chunk)
        if size == 0:
            raise invalid("the file is empty", "file")
        file.seek(0)
        yield file


def _read(stream: Any) -> bytes:
    chunk: bytes = stream.read(_CHUNK)
    return chunk
