"""Whole tables of an application, in order and in short steps: what no endpoint lists."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from django.db.models import QuerySet

from django_stream.database.bulk_sql import among
from django_stream.server.feed_store import database
from django_stream.server.models import CollectionEntry, Feed, Follow, Reaction, StreamUser
from django_stream.server.reads import collections, users

_STEP = 500


def all_users(application_id: int) -> Iterator[dict[str, Any]]:
    """Users, as the API tells them."""
    rows = StreamUser.objects.using(database()).filter(application_id=application_id)
    for row in _steps(rows, "user_id"):
        yield dict(users.shape(row))


def all_entries(application_id: int, names: Collection[str]) -> Iterator[dict[str, Any]]:
    """Entries of these collections, as the API tells them, and whose they are."""
    for name in sorted(names):
        rows = CollectionEntry.objects.using(database()).filter(
            application_id=application_id, collection=name
        )
        for row in _steps(rows, "entry_id"):
            yield {**collections.shape(row), "user_id": row.user_id}


def all_reactions(application_id: int, kinds: Collection[str]) -> Iterator[dict[str, Any]]:
    """Reactions of these kinds to activities, without those that are deleted."""
    rows = Reaction.objects.using(database()).filter(
        application_id=application_id, kind__in=sorted(kinds), parent=None, deleted_at=None
    )
    for row in _steps(rows, "pk"):
        yield {
            "id": row.reaction_id,
            "kind": row.kind,
            "activity_id": str(row.activity),
            "user_id": row.user_id,
            "data": row.data,
        }


def all_follows(application_id: int, slugs: Collection[str]) -> Iterator[tuple[str, str]]:
    """Who follows whom, by feeds of these groups: (feed, the feed that it follows)."""
    feeds = Feed.objects.using(database()).filter(application_id=application_id)
    open_ones = Follow.objects.using(database()).filter(until_seq=None).order_by("pk")
    pairs = open_ones.values_list("pk", "source", "target")
    some = list(pairs[:_STEP])
    while some:
        # By their keys, whatever the planner knows of the tables.
        ends = {feed for _, source, target in some for feed in (source, target)}
        mine = feeds.filter(among("pk", ends, database()))
        names = {pk: (slug, user_id) for pk, slug, user_id in mine.values_list("pk", "slug", "user_id")}
        for _, source, target in some:
            if source in names and target in names and names[source][0] in slugs:
                yield ":".join(names[source]), ":".join(names[target])
        some = list(pairs.filter(pk__gt=some[-1][0])[:_STEP]) if len(some) == _STEP else []


def _steps(rows: QuerySet[Any], column: str) -> Iterator[Any]:
    """Each step a query of its own: no cursor is held open while the caller works."""
    found = list(rows.order_by(column)[:_STEP])
    while found:
        yield from found
        last = {f"{column}__gt": getattr(found[-1], column)}
        found = list(rows.filter(**last).order_by(column)[:_STEP]) if len(found) == _STEP else []
