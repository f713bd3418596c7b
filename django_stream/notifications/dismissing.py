"""Taking notifications off one's feed: they are hidden by rows of the site, wherever the feed lives."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from asgiref.sync import sync_to_async

from django_stream.client.exceptions import StreamApiException
from django_stream.feeds.event_loop import refuse_event_loop
from django_stream.feeds.manager import feed_manager
from django_stream.notifications.entries import EVERYTHING, key_of, newest, updated_at
from django_stream.notifications.models import Dismissal
from django_stream.protocol import limits


def dismiss(user: Any, notification: str | Mapping[str, Any]) -> bool:
    """Hide one notification, an entry of a page or its id, until something new joins it.

    It counts as seen and read from then on. False when there is no such one, or something has joined it
    since the page was read.
    """
    refuse_event_loop("dismissing", "adismiss(…)")
    entry_id = notification if isinstance(notification, str) else notification["id"]
    marks: dict[str, Any] = {} if "," in entry_id else {"mark_seen": [entry_id], "mark_read": [entry_id]}
    feed = feed_manager.get_notification_feed(user)
    try:
        found: Any = feed.get(limit=1, id_lte=entry_id, **marks)["results"]
    except StreamApiException as error:
        if error.status_code == 400:
            return False
        raise
    if not found or found[0]["id"] != entry_id:
        return False
    _write(user, key_of(found[0]), updated_at(found[0]), newest(found[0]))
    return True


def dismiss_all(user: Any) -> None:
    """Hide all notifications that there are now; they count as seen and read."""
    refuse_event_loop("dismissing", "adismiss_all(…)")
    feed = feed_manager.get_notification_feed(user)
    found: Any = feed.get(limit=limits.PAGE_MAX, mark_seen=True, mark_read=True)["results"]
    if not found:
        return
    joined, time = max(map(updated_at, found)), max(map(newest, found))
    _write(user, EVERYTHING, joined, time)
    # What this covers needs no rows of its own.
    single = Dismissal.objects.filter(user=_pk(user)).exclude(key=EVERYTHING)
    single.filter(updated_at__lte=joined, newest__lte=time).delete()


async def adismiss(user: Any, notification: str | Mapping[str, Any]) -> bool:
    """`dismiss` for asynchronous views."""
    return await sync_to_async(dismiss)(user, notification)


async def adismiss_all(user: Any) -> None:
    """`dismiss_all` for asynchronous views."""
    await sync_to_async(dismiss_all)(user)


def _write(user: Any, key: str, joined: datetime, time: datetime) -> None:
    row = {"updated_at": joined, "newest": time}
    Dismissal.objects.update_or_create(user_id=_pk(user), key=key, defaults=row)


def _pk(user: Any) -> Any:
    return getattr(user, "pk", user)
