"""Rate limits: calls by family of endpoints, counted in Django's cache."""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Mapping

from django.core.cache import cache

from django_stream.protocol.errors import ApiError
from django_stream.server.auth.principals import Principal
from django_stream.server.conf import server_settings

logger = logging.getLogger("django_stream.server")

Limits = tuple[int, int, int]

_WINDOWS = (60, 900, 3600)
_OTHERS: Limits = (1000, 12_000, 48_000)
_PUBLISHED: Mapping[str, Limits] = {
    "add": (1000, 12_000, 48_000),
    "remove": (300, 3600, 14_400),
    "update": (250, 3000, 12_000),
    "read": (2000, 24_000, 96_000),
    "follow": (500, 6000, 24_000),
    "unfollow": (250, 3000, 12_000),
    "followers": (200, 2400, 9600),
    "follow_many": (250, 3000, 12_000),
    "collections": (1000, 10_000, 100_000),
    "users": (1000, 10_000, 100_000),
}
UNLIMITED = 1_000_000


def admit(principal: Principal, family: str, headers: dict[str, str]) -> None:
    """Count one call and set the rate-limit headers; refuse with 429 once a window is full.

    The site's own server is unlimited unless STREAM_SERVER_RATE_LIMITS names the family, and each of the
    site's users has the published limits. Other applications share theirs with their users.
    """
    now = int(time.time())
    limits, counted = _limits_of(principal, family), _counted(principal)
    if limits is None:
        _set_headers(headers, UNLIMITED, UNLIMITED, now + _WINDOWS[0])
        return
    counts = _counts(counted, family, now)
    left = [limit - count for limit, count in zip(limits, counts, strict=True)]
    tightest = min(range(len(left)), key=left.__getitem__)
    reset = (now // _WINDOWS[tightest] + 1) * _WINDOWS[tightest]
    _set_headers(headers, limits[tightest], max(left[tightest], 0), reset)
    if left[tightest] < 0:
        raise ApiError.named(
            "RateLimitReached",
            f"more than {limits[tightest]} calls of '{family}' in {_WINDOWS[tightest]} seconds",
            headers={"Retry-After": str(reset - now)},
        )


def _limits_of(principal: Principal, family: str) -> Limits | None:
    configured = server_settings.RATE_LIMITS
    if family in configured:
        return configured[family]
    if _is_own(principal) and principal.is_server:
        return None
    return _PUBLISHED.get(family, _OTHERS)


def _counted(principal: Principal) -> str:
    """Who shares a count: an application with its users, or each user of the site's own."""
    if not _is_own(principal) or principal.is_server:
        return str(principal.application_id)
    user = hashlib.sha256((principal.user_id or "").encode()).hexdigest()[:32]
    return f"{principal.application_id}:{user}"


def _is_own(principal: Principal) -> bool:
    return principal.application_id == server_settings.own_app_id


def _counts(counted: str, family: str, now: int) -> list[int]:
    """Calls in each window, this one included. Without the cache nothing is counted, and nobody refused."""
    keys = [f"django_stream:rate:{counted}:{family}:{size}:{now // size}" for size in _WINDOWS]
    try:
        return [_increment(key, size) for key, size in zip(keys, _WINDOWS, strict=True)]
    except Exception as error:  # each cache backend has errors of its own
        logger.error("rate limits are not applied, since the cache fails: %s", error)
        return [1] * len(_WINDOWS)


def _increment(key: str, window: int) -> int:
    cache.add(key, 0, timeout=window + 1)
    try:
        return cache.incr(key)
    except ValueError:  # the window ended, or the cache dropped the key, between the two calls
        return 1


def _set_headers(headers: dict[str, str], limit: int, remaining: int, reset: int) -> None:
    headers["X-RateLimit-Limit"] = str(limit)
    headers["X-RateLimit-Remaining"] = str(remaining)
    headers["X-RateLimit-Reset"] = str(reset)
