"""Uploads are counted while they arrive, and cut off at the limit."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any, BinaryIO, Protocol, cast

from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler
from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpRequest
from django.http.multipartparser import MultiPartParser, MultiPartParserError
from django.utils.datastructures import MultiValueDict

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


class Readable(Protocol):
    """A stream of bytes."""

    def read(self, size: int = ..., /) -> bytes: ...


def body_of(request: HttpRequest) -> Readable:
    """The body up to its end, also where the client sends it in chunks and names no length.

    Django gives nothing then under WSGI, where not every server knows the end; those that do say so.
    """
    if request.META.get("CONTENT_LENGTH") or not isinstance(request, WSGIRequest):
        return request
    if request.environ.get("wsgi.input_terminated"):
        return cast("Readable", request.environ["wsgi.input"])
    if "chunked" in request.headers.get("Transfer-Encoding", "").lower():
        raise invalid("this server reads no body in chunks: send a Content-Length")
    return request


def upload_of(request: HttpRequest, body: Readable) -> Upload | None:
    """The file of a multipart request, in its field `file`; `body` is its stream."""
    most = server_settings.FILE_BYTES_MAX + _FORM_OVERHEAD
    if int(request.META.get("CONTENT_LENGTH") or 0) > most:
        raise too_large()
    request.upload_handlers.insert(0, _Counting(request))
    try:
        files = request.FILES if request.META.get("CONTENT_LENGTH") else _files(request, body, most)
    except MultiPartParserError as error:
        raise invalid("the body is no multipart form") from error
    file = files.get("file")
    return None if file is None else Upload(file.name or "file", cast("BinaryIO", file), file.content_type)


def _files(request: HttpRequest, body: Readable, most: int) -> MultiValueDict[str, UploadedFile[Any]]:
    """The files of a body of unknown length."""
    # The length is used for nothing but to choose where the file is kept.
    meta = {**request.META, "CONTENT_LENGTH": str(most)}
    handlers = [handler for handler in request.upload_handlers if handler is not None]
    bounded = cast("Any", _Bounded(body, most))
    _, files = MultiPartParser(meta, bounded, handlers, request.encoding).parse()
    return files


class _Bounded:
    """A stream that refuses to give more than so many bytes."""

    def __init__(self, stream: Readable, most: int) -> None:
        self._stream = stream
        self._left = most

    def read(self, size: int = -1) -> bytes:
        chunk = self._stream.read(self._left + 1 if size < 0 else min(size, self._left + 1))
        self._left -= len(chunk)
        if self._left < 0:
            raise too_large()
        return chunk


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
