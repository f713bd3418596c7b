"""A charset that Python cannot read text by is taken out of a request before Django meets it.

Django decodes the query by the charset of the body while it builds the request, before any middleware
or view, and fails on codecs such as `hex` where nothing of a site can answer. `request_started` comes first.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from django.core.signals import request_started

_CHARSET = re.compile(r";\s*charset=\"?(?P<name>[^;\"]*)\"?", re.IGNORECASE)


def without_unreadable_charset(content_type: str) -> str:
    """The header as it is, or without its charset where no text can be read by that."""
    match = _CHARSET.search(content_type)
    if match is None or _is_readable(match["name"].strip()):
        return content_type
    return content_type[: match.start()] + content_type[match.end() :]


@lru_cache(maxsize=64)
def _is_readable(charset: str) -> bool:
    try:
        bytes(range(128)).decode(charset)
        bytes(range(256)).decode(charset, errors="replace")
    except (LookupError, ValueError):
        return False
    return True


def _mend(*, environ: dict[str, Any] | None = None, scope: dict[str, Any] | None = None, **_: Any) -> None:
    """WSGI gives its environment, ASGI its scope; both may be changed before they are read."""
    if environ is not None and "CONTENT_TYPE" in environ:
        environ["CONTENT_TYPE"] = without_unreadable_charset(environ["CONTENT_TYPE"])
    if scope is not None and "headers" in scope:
        scope["headers"] = [
            (name, without_unreadable_charset(value.decode("latin-1")).encode("latin-1"))
            if name == b"content-type"
            else (name, value)
            for name, value in scope["headers"]
        ]


def mend_requests() -> None:
    """Begin to do so, once a process."""
    request_started.connect(_mend, dispatch_uid="django_stream.server.charsets")
