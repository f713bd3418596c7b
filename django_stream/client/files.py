"""Files and images: uploaded as streams, processed and deleted by their URL."""

from __future__ import annotations

import io
import mimetypes
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from django_stream.client.api import Api, Scope
from django_stream.client.encoding import comma_joined
from django_stream.client.exceptions import ValidationError
from django_stream.client.types import Done, RefreshedFile, StoredFile
from django_stream.client.validation import page_number
from django_stream.protocol import scopes
from django_stream.protocol.messages import Upload

_SCOPE: Scope = (scopes.FILES, scopes.ANY)
RESIZE_MODES = ("clip", "crop", "scale", "fill")
CROP_SIDES = ("top", "bottom", "left", "right", "center")

Source = str | os.PathLike[str] | bytes | BinaryIO


class FileCalls:
    """`client.files`"""

    local_methods: frozenset[str] = frozenset()
    _path = "files/"

    def __init__(self, api: Api) -> None:
        self._api = api

    def upload(self, file: Source, *, name: str | None = None, content_type: str | None = None) -> StoredFile:
        """Store a file given as a path, an open binary file or bytes; the answer holds its URL."""
        with _opened(file) as stream:
            filename = name or _name_of(file)
            kind = content_type or mimetypes.guess_type(filename)[0]
            stored: StoredFile = self._api.call(
                "POST", self._path, _SCOPE, upload=Upload(filename, stream, kind)
            )
        return stored

    def delete(self, url: str) -> Done:
        """Delete what was stored under this URL."""
        done: Done = self._api.call("DELETE", self._path, _SCOPE, query={"url": _url(url)})
        return done

    def refresh(self, url: str) -> RefreshedFile:
        """A fresh URL for one whose signature has run out."""
        fresh: RefreshedFile = self._api.call(
            "POST", f"{self._path}refresh/", _SCOPE, body={"url": _url(url)}, repeatable=True
        )
        return fresh


class ImageCalls(FileCalls):
    """`client.images`"""

    _path = "images/"

    def process(
        self,
        url: str,
        *,
        width: int | None = None,
        height: int | None = None,
        resize: str | None = None,
        crop: str | Iterable[str] | None = None,
    ) -> StoredFile:
        """Another size of a stored image; `resize` is clip, crop, scale or fill."""
        page_number(width, "width")
        page_number(height, "height")
        sides = None if crop is None else comma_joined("crop", crop)
        for given, allowed, field in ((resize, RESIZE_MODES, "resize"), (sides, CROP_SIDES, "crop")):
            for word in given.split(",") if given else ():
                if word not in allowed:
                    raise ValidationError(f"{field} must be of {', '.join(allowed)}, not {word!r}", field)
        query = {"url": _url(url), "w": width, "h": height, "resize": resize, "crop": sides}
        processed: StoredFile = self._api.call("GET", self._path, _SCOPE, query=query)
        return processed


@contextmanager
def _opened(file: Source) -> Iterator[BinaryIO]:
    if isinstance(file, bytes):
        yield io.BytesIO(file)
    elif isinstance(file, str | os.PathLike):
        with Path(file).open("rb") as stream:
            yield stream
    elif hasattr(file, "read") and not _gives_text(file):
        yield file
    else:
        raise ValidationError(
            f"file must be a path, a binary file or bytes, not {type(file).__name__}", "file"
        )


def _gives_text(file: object) -> bool:
    return isinstance(file, io.TextIOBase)


def _name_of(file: Source) -> str:
    path = file if isinstance(file, str | os.PathLike) else getattr(file, "name", None)
    # A file object's name may be the number of its descriptor.
    return os.path.basename(path) if isinstance(path, str | os.PathLike) else "file"


def _url(url: str) -> str:
    if not isinstance(url, str) or not url:
        raise ValidationError("url must be the address of a stored file", "url")
    return url
