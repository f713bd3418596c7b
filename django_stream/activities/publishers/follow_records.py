"""What the ledger keeps of a follow between feeds, and how it is sent."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.contrib.auth import get_user_model

from django_stream.activities.ids import from_wire_id
from django_stream.activities.model_references import clean_pk
from django_stream.activities.owners import Owner, OwnerID, feed_id, owner_model, parse_owner_id
from django_stream.activities.policies import manager_with_own
from django_stream.activities.publishers.sending import Sender
from django_stream.conf import stream_settings
from django_stream.protocol.feed_ids import FeedID
from django_stream.publishing.publisher import Change, Record

if TYPE_CHECKING:
    from django_stream.client import StreamClient

POLICIES = ("get_news_feeds", "get_user_feed", "get_feed", "news_feeds", "user_feed")
"""Methods of a manager class of the site's own by which it names the two feeds."""

_ENDS = ("source", "target")
Meant = tuple[tuple[Any, str], tuple[Any, str]]
"""The two rows of a follow, each its model and the text of its primary key."""


def follow_records(
    follower: OwnerID, followed: OwnerID, slug: str | None, meant: Meant | None
) -> list[Record]:
    """One for each news feed.

    What a key with a path stood for is not to be found in the tables any more once the rows on the way
    change: the record says it (`meant`).
    """
    sources = [str(feed_id(news, follower)) for news in stream_settings.news_feeds.values()]
    target = str(feed_id(slug or stream_settings.USER_FEED, followed))
    if manager := manager_with_own(*POLICIES):
        sources = [feed.id for feed in manager.get_news_feeds(follower).values()]
        target = manager.get_user_feed(followed, slug).id
    of = {"of": [[model._meta.label, pk] for model, pk in meant]} if meant else {}
    return [{"source": source, "target": target, **of} for source in sources]


def rows_told(records: Iterable[Record]) -> set[Meant]:
    """The pairs of rows that records name, also those written before the declaration had a path."""
    found: set[Meant] = set()
    for record in records:
        rows = _rows(record["of"]) if "of" in record else [owner_of(record[end]) for end in _ENDS]
        follower, followed = rows
        if follower and followed:
            found.add((follower, followed))
    return found


def _rows(of: Iterable[tuple[str, str]]) -> list[Owner | None]:
    """None where a model of theirs is not installed any more."""
    rows: list[Owner | None] = []
    for label, pk in of:
        try:
            rows.append(Owner(apps.get_model(label), pk))
        except LookupError:
            rows.append(None)
    return rows


def owner_of(feed: str) -> Owner | None:
    """The row whose feed it is, if a row can have it: users have their bare key."""
    text = FeedID.parse(feed).user_id
    owner = parse_owner_id(text) or Owner(get_user_model(), from_wire_id(text))
    if clean_pk(*owner) is None:
        return None
    return Owner(owner_model(owner.model), owner.object_id)


def send_follows(client: StreamClient, changes: Sequence[Change]) -> Mapping[str, Exception]:
    """Follow and unfollow; returns the failures by key. The client splits by the API's own limit."""
    sender = Sender()
    follow = [change for change in changes if change.desired is not None]
    copy_limit = stream_settings.ACTIVITY_COPY_LIMIT
    sender.batch(follow, len(changes), lambda part: client.follow_many(_follows(part), copy_limit))
    # What one key means no more, another of the same batch may mean from now on, if that could be said.
    said = [change for change in follow if change.key not in sender.failures]
    kept = {(one["source"], one["target"]) for one in _follows(said)}
    unfollow = [change for change in changes if _unfollows([change], kept)]
    sender.batch(unfollow, len(changes), lambda part: client.unfollow_many(_unfollows(part, kept)))
    return sender.failures


def _follows(changes: Sequence[Change]) -> list[Record]:
    return [_relation(one) for change in changes if change.desired for one in change.desired.records]


def _unfollows(changes: Sequence[Change], kept: Collection[tuple[str, str]]) -> list[Record]:
    stale = (_relation(one) for change in changes for one in change.stale)
    return [one for one in stale if (one["source"], one["target"]) not in kept]


def _relation(record: Record) -> Record:
    return {"source": record["source"], "target": record["target"]}
