"""Feeds and the site's own application: created when something first refers to them, locked by writers."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from contextlib import ExitStack, contextmanager

from django.db import router, transaction

from django_stream.database.conditions import Condition, one_of, rows_among_those
from django_stream.database.statements import Database, Row
from django_stream.database.transactions import needs_savepoint
from django_stream.protocol.errors import invalid
from django_stream.protocol.feed_ids import FeedID
from django_stream.server.conf import server_settings
from django_stream.server.models import Application, Feed

_COLUMNS = ("id", "application_id", "slug", "user_id", "version")
NAME_LENGTH = 255
"""Characters of a slug or a user id: what the table holds."""


def within_length(feed: FeedID, field: str) -> FeedID:
    """The feed, if the tables can hold its name; else 400 that blames this field."""
    if max(len(feed.slug), len(feed.user_id)) > NAME_LENGTH:
        raise invalid(f"slug and user id of a feed may have at most {NAME_LENGTH} characters each", field)
    return feed


def database() -> str:
    """The database that the server writes to."""
    return router.db_for_write(Feed)


def ensure_application(application_id: int) -> None:
    """Create the row of the site's own application, to which other rows are about to refer.

    Other applications are made in the admin.
    """
    if application_id == server_settings.own_app_id:
        Application.objects.using(database()).bulk_create(
            [Application(id=application_id, name="This site")], ignore_conflicts=True
        )


def find(application_id: int, feed_ids: Collection[FeedID]) -> dict[FeedID, Feed]:
    """The feeds that exist among these."""
    if not feed_ids:
        return {}
    store = Database.to_write(Feed)
    rows = store.select(Feed, _COLUMNS, named(application_id, feed_ids))
    return {feed.feed_id: feed for feed in _read(store, rows)}


@contextmanager
def writing(application_id: int, feed_ids: Collection[FeedID]) -> Iterator[dict[FeedID, Feed]]:
    """A transaction that has locked these feeds, in id order; those that are missing are created before."""
    wanted = set(feed_ids)
    if len(wanted) > 1 and transaction.get_connection(database()).in_atomic_block:
        # A savepoint lets go of no lock: what is missing is made before any is taken. Of one, none is.
        ensure(application_id, wanted)
    with ExitStack() as stack:
        stack.enter_context(transaction.atomic(using=database(), savepoint=needs_savepoint(database())))
        found = lock_named(application_id, wanted)
        if len(found) < len(wanted):
            # Nobody waits for who makes a feed while holding another one.
            stack.close()
            ensure(application_id, wanted)
            stack.enter_context(transaction.atomic(using=database()))
            found = lock_named(application_id, wanted)
        yield found


def lock_named(application_id: int, feed_ids: Collection[FeedID]) -> dict[FeedID, Feed]:
    """Those of the feeds that exist, locked in id order until the end of the transaction."""
    if not feed_ids:
        return {}
    store = Database.to_write(Feed)
    return {feed.feed_id: feed for feed in _locked(store, named(application_id, feed_ids))}


def named(application_id: int, feed_ids: Iterable[FeedID]) -> Condition:
    """The feeds are these."""
    names = {"slug": "text", "user_id": "text"}
    return rows_among_those(
        "application_id", application_id, names, [(one.slug, one.user_id) for one in feed_ids]
    )


def ensure(application_id: int, feed_ids: Iterable[FeedID]) -> dict[FeedID, Feed]:
    """These feeds, created where missing."""
    wanted = set(feed_ids)
    found = find(application_id, wanted)
    missing = sorted(wanted - set(found))
    if missing:
        ensure_application(application_id)
        new = [
            Feed(application_id=application_id, slug=feed_id.slug, user_id=feed_id.user_id)
            for feed_id in missing
        ]
        Feed.objects.using(database()).bulk_create(new, ignore_conflicts=True)
        found |= find(application_id, missing)
    return found


def lock(feeds: Iterable[Feed]) -> dict[int, Feed]:
    """Lock these feeds until the end of the transaction, always in id order. Fresh rows by id."""
    ids, store = {feed.pk for feed in feeds}, Database.to_write(Feed)
    return {feed.pk: feed for feed in _locked(store, one_of("id", ids))}


def _locked(store: Database, chosen: Condition) -> Iterator[Feed]:
    # What merely refers to a feed does not wait.
    rows = store.locked(Feed, _COLUMNS, ["id"], chosen, strength="NO KEY UPDATE")
    store.dialect.claim([number for number, *_ in rows])
    return _read(store, rows)


def _read(store: Database, rows: Iterable[Row]) -> Iterator[Feed]:
    """Rows as instances, at a fraction of a queryset's cost; `created_at` is read when it is asked for."""
    return (Feed.from_db(store.alias, _COLUMNS, row) for row in rows)


def advance(feeds: Collection[Feed], by: dict[int, int]) -> None:
    """Count new placements on locked feeds."""
    steps: dict[int, list[int]] = {}
    for feed in feeds:
        if by.get(feed.pk):
            steps.setdefault(by[feed.pk], []).append(feed.pk)
    for step, ids in steps.items():
        Database.to_write(Feed).increase(Feed, "version", step, one_of("id", ids))
