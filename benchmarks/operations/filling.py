"""Rows and feeds that agree, written by the hundred thousand: publishing each would take far longer."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User

from benchmarks.operations.models import Subscription
from benchmarks.publishing.models import Tracked
from django_stream.backends import backend_fingerprint
from django_stream.client.encoding import plain
from django_stream.protocol.activity_ids import activity_id, sort_key
from django_stream.protocol.times import parse_time
from django_stream.publishing.models import Publication
from django_stream.publishing.publisher import Desired, publisher_for
from django_stream.server.conf import server_settings
from django_stream.server.feed_store import ensure_application
from django_stream.server.models import Activity, Feed, Placement, TimelineEntry
from django_stream.tracking import activities_paused

_START = datetime(2020, 1, 1, tzinfo=UTC)
_CHUNK = 5_000
_STANDARD = {"actor", "verb", "object", "target", "foreign_id", "time", "to"}


def fill_tables(rows: int, authors: int) -> None:
    """Rows from before the app: nobody has published them."""
    users = User.objects.bulk_create(User(username=f"user{number}") for number in range(authors))
    with activities_paused():
        for start in range(0, rows, _CHUNK):
            Tracked.objects.bulk_create(
                Tracked(
                    user=users[number % authors],
                    title=f"note {number}",
                    text="What a person may have to say.",
                    created_at=_START + timedelta(seconds=number),
                )
                for number in range(start, min(start + _CHUNK, rows))
            )


def fill_follows(rows: int, authors: int) -> None:
    """Each user follows those that come next: rows from before the app."""
    users = list(User.objects.order_by("pk").values_list("pk", flat=True)[:authors])
    with activities_paused():
        for start in range(0, rows, _CHUNK):
            Subscription.objects.bulk_create(
                Subscription(
                    reader_id=users[number % authors],
                    writer_id=users[(number + 1 + number // authors) % authors],
                )
                for number in range(start, min(start + _CHUNK, rows))
            )


def fill_feeds() -> None:
    """What a backfill would have left."""
    application_id = server_settings.own_app_id
    ensure_application(application_id)
    publisher: Any = publisher_for(Tracked._meta.label)
    feeds = {
        feed.user_id: feed.pk
        for feed in Feed.objects.bulk_create(
            Feed(application_id=application_id, slug="user", user_id=str(pk))
            for pk in User.objects.values_list("pk", flat=True)
        )
    }
    fingerprint, last = backend_fingerprint(), 0
    while pks := list(
        Tracked.objects.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:_CHUNK]
    ):
        last = pks[-1]
        _publish(publisher.desired([str(pk) for pk in pks], "default"), application_id, feeds, fingerprint)


def _publish(state: dict[str, Desired], application_id: int, feeds: dict[str, int], fingerprint: str) -> None:
    activities, placed, listed, ledger = [], [], [], []
    for key, desired in state.items():
        content, record = plain(desired.content), desired.records[0]
        place: UUID = sort_key(activity_id(parse_time(record["time"]), record["foreign_id"]))
        feed = feeds[record["feed"].partition(":")[2]]
        standard = {name: content[name] for name in ("actor", "verb", "object", "foreign_id")}
        extra = {name: value for name, value in content.items() if name not in _STANDARD}
        activities.append(Activity(application_id=application_id, key=place, **standard, extra=extra))
        placed.append(Placement(feed_id=feed, key=place, seq=1))
        listed.append(TimelineEntry(feed=feed, key=place, via=0))
        digest = f"{fingerprint}:{desired.digest}"
        ledger.append(
            Publication(
                model_label=Tracked._meta.label, object_key=key, records=desired.records, digest=digest
            )
        )
    for rows in (activities, placed, listed, ledger):
        type(rows[0])._default_manager.bulk_create(rows)


def drift(rows: int) -> set[tuple[str, str]]:
    """A hundred differences, a quarter of each kind, spread over the table: (kind, key)."""
    pks = list(Tracked.objects.order_by("pk").values_list("pk", flat=True)[:: max(rows // 100, 1)][:100])
    missing, stale, extra, moved = pks[::4], pks[1::4], pks[2::4], pks[3::4]
    for key in _keys(missing):
        Placement.objects.filter(key=key).delete()
    with activities_paused():
        Tracked.objects.filter(pk__in=stale).update(title="changed by SQL")
        Tracked.objects.filter(pk__in=extra)._raw_delete("default")
        for row in Tracked.objects.filter(pk__in=moved):
            others = User.objects.exclude(pk=row.user_id).order_by("pk")
            Tracked.objects.filter(pk=row.pk).update(user=others.first())
    told = (
        *(("missing", missing), ("stale", stale), ("extra", extra)),
        *(("missing", moved), ("misplaced", moved)),
    )
    return {(kind, str(pk)) for kind, some in told for pk in some}


def _keys(pks: list[int]) -> list[UUID]:
    names = [f"{Tracked._meta.label}:{pk}" for pk in pks]
    return list(Activity.objects.filter(foreign_id__in=names).values_list("key", flat=True))
