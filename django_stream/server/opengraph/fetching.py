"""Fetching the head of a page from wherever a user points."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin

import requests
import urllib3

from django_stream.protocol.errors import ApiError
from django_stream.server.extras import MissingExtra
from django_stream.server.opengraph.public_addresses import Rules, refused

REDIRECTS = 5
_CHUNK = 16 * 1024
_PAGES = frozenset({"text/html", "application/xhtml+xml"})
_MOVED = frozenset({301, 302, 303, 307, 308})
_END_OF_HEAD = re.compile(rb"</head\s*>|<body[\s>]", re.IGNORECASE)
_END_LENGTH = 16
_CHARSET = re.compile(r"charset\s*+=\s*+[\"']?+\s*+([^\s\"';]++)", re.IGNORECASE)
_HEADERS = {
    "Accept": "text/html,application/xhtml+xml",
    "Accept-Encoding": "identity",
    "User-Agent": "Mozilla/5.0 (compatible; django-stream open graph reader)",
}


def nothing_found() -> ApiError:
    return ApiError.named("InputException", "couldn't find og data for the provided url")


@dataclass(frozen=True, slots=True)
class Fetched:
    """The head of a page, where it was found, and the charset that its server names."""

    url: str
    head: bytes
    charset: str | None


def fetch(url: str, *, seconds: float, most: int, rules: Rules | None = None) -> Fetched:
    """Read a page up to the end of its head; every way to fail is a refusal."""
    try:
        from requests_hardened.ip_filter import InvalidIPAddress

        from django_stream.server.opengraph.sessions import ends_within
    except ImportError as error:
        raise MissingExtra("og/ needs requests-hardened", "opengraph") from error
    try:
        with ends_within(seconds):
            return _follow(url, rules or Rules(), most)
    except InvalidIPAddress as error:
        raise refused("leads to an address that is not public") from error
    except (
        requests.RequestException,
        urllib3.exceptions.HTTPError,
        OSError,
        ValueError,
        zlib.error,
    ) as error:
        raise nothing_found() from error


def _follow(url: str, rules: Rules, most: int) -> Fetched:
    """Every hop is checked as if it were the first."""
    from django_stream.server.opengraph.sessions import session, time_left

    for _ in range(REDIRECTS + 1):
        parts = rules.check_url(url)
        # A new session each time: nothing of one host reaches the next.
        with (
            session(rules) as made,
            made.get(parts.geturl(), headers=_HEADERS, stream=True, timeout=time_left()) as answer,
        ):
            if answer.status_code not in _MOVED or "Location" not in answer.headers:
                return _page(answer, url, most)
            url = urljoin(url, _as_sent(answer.headers["Location"]))
    raise nothing_found()


def _as_sent(location: str) -> str:
    """Headers are read as latin-1; many servers write UTF-8 into them."""
    try:
        return location.encode("latin-1").decode()
    except UnicodeError:
        return location


def _page(answer: requests.Response, url: str, most: int) -> Fetched:
    kind, _, parameters = answer.headers.get("Content-Type", "").partition(";")
    if answer.status_code != 200 or kind.strip().lower() not in _PAGES:
        raise nothing_found()
    charset = _CHARSET.search(parameters)
    return Fetched(url, _head(answer, most), charset[1] if charset else None)


def _head(answer: requests.Response, most: int) -> bytes:
    """The page up to the end of its head, and no more of it than the limit."""
    page = bytearray()
    for part in _unpacked(answer, most):
        searched = max(len(page) - _END_LENGTH, 0)
        page += part
        if end := _END_OF_HEAD.search(page, searched):
            return bytes(page[: end.start()])
        if len(page) >= most:
            break
    return bytes(page[:most])


def _unpacked(answer: requests.Response, most: int) -> Iterator[bytes]:
    """The body in parts. Some servers pack it unasked; a bomb unpacks no further than the limit."""
    packing = answer.headers.get("Content-Encoding", "identity").lower()
    if packing not in ("identity", "", "gzip", "deflate"):
        raise nothing_found()
    unpack: Any = zlib.decompressobj(wbits=47) if packing in ("gzip", "deflate") else None
    taken = 0
    while taken < most and (part := answer.raw.read1(_CHUNK, decode_content=False)):
        taken += len(part)
        yield part if unpack is None else unpack.decompress(part, most)
