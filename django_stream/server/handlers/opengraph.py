"""Open graph data of a page."""

from __future__ import annotations

import hashlib
import logging
from contextlib import suppress

from django.core.cache import cache

from django_stream.protocol.errors import invalid
from django_stream.server import turns
from django_stream.server.conf import server_settings
from django_stream.server.opengraph.fetching import fetch, nothing_found
from django_stream.server.opengraph.parsing import parse
from django_stream.server.requests import Body, Call

logger = logging.getLogger("django_stream.server")

URL_LENGTH = 2048


def read(call: Call) -> Body:
    """Read the open graph data of a page."""
    url = call.parameters.text("url").strip()
    if not url or len(url) > URL_LENGTH:
        raise invalid(f"url is required and may have at most {URL_LENGTH} characters", "url")
    key = f"django_stream:og:{hashlib.sha256(url.encode()).hexdigest()}"
    data: Body | None = _cached(key)
    if data is None:
        with turns.pages.turn(call.application_id, call.principal.user_id or ""):
            data = _fetched(url)
        _keep(key, data)
    # Some caches return the very object they keep, and the answer gets a duration.
    return dict(data)


def _cached(key: str) -> Body | None:
    try:
        data: Body | None = cache.get(key)
    except Exception as error:  # each cache backend has errors of its own
        logger.error("open graph data are fetched anew, since the cache fails: %s", error)
        return None
    return data


def _keep(key: str, data: Body) -> None:
    with suppress(Exception):  # told when it was read
        cache.set(key, data, server_settings.OPEN_GRAPH_CACHE_SECONDS)


def _fetched(url: str) -> Body:
    page = fetch(url, seconds=server_settings.OPEN_GRAPH_SECONDS, most=server_settings.OPEN_GRAPH_BYTES)
    data = parse(page)
    if not data:
        raise nothing_found()
    return data | {"original_url": url}
