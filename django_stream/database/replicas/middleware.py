"""The middleware: each sender finds what they wrote, whichever replica and process answers next.

Browsers carry the position in a cookie. Clients of the API keep none, so that an application's position is
in Django's cache, which all processes must share.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from hashlib import sha256
from inspect import iscoroutinefunction
from typing import Any

from asgiref.sync import sync_to_async
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.utils.decorators import sync_and_async_middleware

from django_stream.database.replicas.positions import EVERYTHING, primaries, written
from django_stream.database.replicas.reading import Reading, reading

logger = logging.getLogger("django_stream.database")

COOKIE = "stream_position"
# Longer than any replica that is in use lags behind.
_SECONDS = 3600
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


@sync_and_async_middleware
def replica_middleware(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:
    """For `MIDDLEWARE`, above everything that reads from the database."""

    if iscoroutinefunction(get_response):

        async def answer_async(request: HttpRequest) -> HttpResponse:
            one = await sync_to_async(_begun)(request)
            with reading(one):
                response: HttpResponse = await get_response(request)
            if one.written:
                await sync_to_async(_keep)(request, response, one)
            return response

        return answer_async

    def answer(request: HttpRequest) -> HttpResponse:
        one = _begun(request)
        with reading(one):
            response: HttpResponse = get_response(request)
        if one.written:
            _keep(request, response, one)
        return response

    return answer


def _begun(request: HttpRequest) -> Reading:
    if request.method not in _SAFE:
        return Reading({}, may_lag=False)
    return Reading({primary: _position(request, primary) for primary in primaries()})


def _position(request: HttpRequest, primary: str) -> int:
    """The later one of what the browser and the application have written last."""
    told = str(request.COOKIES.get(_cookie(primary), ""))[:19]
    # What is no number is not believed; for a number too large, its sender has the primary's pages.
    position = int(told) if told.isdecimal() else 0
    if key := _key(request, primary):
        try:
            return max(position, cache.get(key) or 0)
        except Exception as error:  # each cache has errors of its own
            logger.error("the cache does not tell what was written, so the primary is read: %s", error)
            return EVERYTHING
    return position


def _keep(request: HttpRequest, response: HttpResponse, one: Reading) -> None:
    """The request has been done, so nothing here may make it fail."""
    for primary in one.written & set(primaries()):
        try:
            position = written(primary)
            cookie, secure = _cookie(primary), request.is_secure()
            response.set_cookie(cookie, str(position), _SECONDS, secure=secure, httponly=True, samesite="Lax")
            if key := _key(request, primary):
                _raise_to(key, position)
        except Exception as error:  # of the database, or of any cache
            logger.error("a sender may not see at once what they wrote: %s", error)


def _raise_to(key: str, position: int) -> None:
    """Never lower what is kept, whoever else writes: what two add at once is too far at most."""
    if cache.add(key, position, _SECONDS):
        return
    missing = position - int(cache.get(key) or 0)
    try:
        if missing > 0:
            cache.incr(key, missing)
        cache.touch(key, _SECONDS)
    except ValueError:  # it was dropped meanwhile
        cache.add(key, position, _SECONDS)


def _cookie(primary: str) -> str:
    return f"{COOKIE}_{primary}"


def _key(request: HttpRequest, primary: str) -> str:
    """Of the application that asks, by its public key; empty for pages of the site."""
    api_key = request.GET.get("api_key")
    if not api_key:
        return ""
    # A cache takes no key of any length or with any sign.
    return f"django_stream:position:{primary}:{sha256(api_key.encode()).hexdigest()}"
