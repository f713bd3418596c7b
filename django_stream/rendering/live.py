"""What `feed.js` needs to hear of news at once."""

from __future__ import annotations

import json
from typing import Any

from django.http import HttpRequest
from django.middleware.csrf import get_token
from django.urls import NoReverseMatch, reverse

from django_stream.backends import EMBEDDED
from django_stream.conf import stream_settings
from django_stream.feeds.manager import feed_manager
from django_stream.protocol.credentials import FAYE_SCOPE_KEY
from django_stream.protocol.feed_ids import slug_of


def live_data(request: Any, feed_id: str | None, live: bool | str) -> str:
    """JSON that names the feed and where to listen to it; "" where the page can only look now and then.

    `live` is True for this site, or the address of another server's `/faye`. Only who is signed in listens,
    by a token that the site's own API gives.
    """
    if not live or not feed_id or request is None or not _is_signed_in(request):
        return ""
    address = _own_address(request) if live is True else live
    token = _address_of("django_stream_api:user-token")
    if not address or not token:
        return ""
    return json.dumps(
        {
            "faye": address,
            "feed": feed_id,
            "key": stream_settings.API_KEY,
            "app": str(stream_settings.APP_ID),
            "token": token,
            "csrf": get_token(request),
            "newest": _newest_of(request, feed_id),
        }
    )


def _newest_of(request: HttpRequest, feed_id: str) -> str:
    """Where the newest entry alone is asked for, once the page listens; "" where only the page tells it."""
    slug = slug_of(feed_id)
    if feed_id != str(feed_manager.get_feed(slug, request.user).id):
        return ""
    address = _address_of("django_stream_api:feed", slug)
    return address and f"{address}?limit=1"


def count_address() -> str:
    """Where the number of notifications is asked for; "" where the site has no such address."""
    # The API's may want another proof of who asks than the session of a page.
    names = ("django_stream:notification-count", "django_stream_api:notification-count")
    return next(filter(None, map(_address_of, names)), "")


def _is_signed_in(request: HttpRequest) -> bool:
    user = getattr(request, "user", None)
    return user is not None and user.is_authenticated


def _own_address(request: HttpRequest) -> str:
    """This process serves it only under ASGI, and hears of the feeds only where they are its own."""
    scope = getattr(request, "scope", None) or {}
    return str(scope.get(FAYE_SCOPE_KEY, "")) if stream_settings.BACKEND == EMBEDDED else ""


def _address_of(name: str, *args: str) -> str:
    try:
        return reverse(name, args=args)
    except NoReverseMatch:
        return ""
