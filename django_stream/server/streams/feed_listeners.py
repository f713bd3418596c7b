"""What is new on feeds, for those who are subscribed to them in this process: browsers, mostly.

Followers are found when something happens, and only among the feeds that somebody listens to: nothing is
written for each of them.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Collection
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from typing import Any
from weakref import WeakKeyDictionary

from django.db import transaction
from django.utils import timezone

from django_stream.database.batches import batched
from django_stream.database.deadlocks import retry_on_deadlock
from django_stream.protocol.feed_ids import FeedID
from django_stream.protocol.times import format_rfc3339
from django_stream.server.events import interest
from django_stream.server.feed_store import database, ensure_application
from django_stream.server.models import FeedListening, Follow
from django_stream.server.streams import hub, log
from django_stream.server.streams.admission import Admission
from django_stream.server.streams.subscriptions import feeds_of

logger = logging.getLogger("django_stream.server")

Change = dict[str, Any]
Deliver = Callable[[str, Change, int], None]
"""Called with the feed's name, what is new on it, and about how many bytes that takes."""

LEASE = timedelta(seconds=90)
_RENEW_SECONDS = 30.0
# Databases take so many parameters at least.
_AT_ONCE = 500
# A lease that is about to end may have ended for another process.
_SPARE = timedelta(seconds=5)

_all: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[int, FeedListeners]] = WeakKeyDictionary()


def listeners_of(application_id: int) -> FeedListeners:
    """Those of an application in the running event loop."""
    mine = _all.setdefault(asyncio.get_running_loop(), {})
    found = mine.get(application_id)
    if found is None or found.is_over:
        found = mine[application_id] = FeedListeners(application_id)
    return found


class FeedListeners:
    """Who is subscribed to which feeds of an application."""

    def __init__(self, application_id: int) -> None:
        self._application_id = application_id
        self._by_feed: dict[str, set[Deliver]] = {}
        self._task: asyncio.Task[None] | None = None
        self._begun: asyncio.Future[None] | None = None
        self.is_over = False

    async def add(self, feed: str, deliver: Deliver) -> None:
        """Subscribe; what happens after this call is delivered."""
        self._by_feed.setdefault(feed, set()).add(deliver)
        if self._task is None:
            loop = asyncio.get_running_loop()
            self._begun = loop.create_future()
            self._task = loop.create_task(self._run())
        assert self._begun is not None
        await asyncio.shield(self._begun)

    def remove(self, feed: str, deliver: Deliver) -> None:
        listening = self._by_feed.get(feed, set())
        listening.discard(deliver)
        if not listening:
            self._by_feed.pop(feed, None)
        if not self._by_feed and self._task is not None:
            self.is_over = True
            self._task.cancel()

    async def _run(self) -> None:
        renewing: asyncio.Task[None] | None = None
        try:
            position = await hub.run(_begin, self._application_id)
            renewing = asyncio.get_running_loop().create_task(self._renew())
            assert self._begun is not None
            self._begun.set_result(None)
            admitted = Admission(feeds_of(self._application_id), "", position)
            async with aclosing(hub.batches(admitted)) as batches:
                async for batch in batches:
                    for frame in batch:
                        if frame.position:
                            await self._tell_or_log(json.loads(frame.text), len(frame.text))
        except Exception as error:
            logger.exception("feeds cannot be listened to")
            if self._begun is not None and not self._begun.done():
                self._begun.set_exception(error)
        finally:
            self.is_over = True
            if renewing is not None:
                renewing.cancel()

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(_RENEW_SECONDS)
            hub.later(lambda: _lease(self._application_id))

    async def _tell_or_log(self, event: Change, size: int) -> None:
        try:
            await self._tell(event, size)
        except Exception:
            logger.exception("the listeners of a feed could not be told what is new")

    async def _tell(self, event: Change, size: int) -> None:
        data, moment = event["data"], event["meta"]["timestamp"]
        change = {
            "new": data["new"],
            "deleted": data["deleted"],
            "deleted_foreign_ids": data["deleted_foreign_ids"],
            "app_id": str(self._application_id),
            "published_at": format_rfc3339(datetime.fromtimestamp(moment / 1000, tz=UTC)),
        }
        others = [name for name in self._by_feed if name != data["feed"]]
        followers = (
            await hub.run(followers_among, self._application_id, data["feed"], others) if others else []
        )
        for name in (data["feed"], *followers):
            for deliver in list(self._by_feed.get(name, ())):
                deliver(name, {**change, "feed": name}, size)


def _begin(application_id: int) -> int:
    """Have the application's feeds logged; the place after which everything is."""
    _lease(application_id)
    log.give_places()
    return log.state().newest


@retry_on_deadlock
def _lease(application_id: int) -> None:
    now = timezone.now()
    ensure_application(application_id)
    with transaction.atomic(using=database()):
        rows = FeedListening.objects.using(database())
        before = rows.filter(pk=application_id, until__gt=now + _SPARE).exists()
        rows.update_or_create(pk=application_id, defaults={"until": now + LEASE})
        if not before:
            interest.grown()


def followers_among(application_id: int, feed: str, among: Collection[str]) -> list[str]:
    """Those of these feeds that follow a feed."""
    target = FeedID.parse(feed)
    rows = Follow.objects.using(database()).filter(
        until_seq__isnull=True,
        target__application_id=application_id,
        target__slug=target.slug,
        target__user_id=target.user_id,
        source__application_id=application_id,
    )
    found: set[str] = set()
    for users in batched({FeedID.parse(name).user_id for name in among}, _AT_ONCE):
        sources = rows.filter(source__user_id__in=users).values_list("source__slug", "source__user_id")
        found |= {f"{slug}:{user_id}" for slug, user_id in sources}
    return [name for name in among if name in found]
