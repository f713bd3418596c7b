"""Rows that say 'A follows B': how they become follows between feeds."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import models

from django_stream.activities.ids import json_key
from django_stream.activities.owners import OwnerID, feed_id, names_itself, owner_id, owner_id_of
from django_stream.activities.publishers.base import TrackedPublisher
from django_stream.activities.publishers.sending import Sender
from django_stream.client import StreamClient
from django_stream.conf import stream_settings
from django_stream.database.querysets import all_rows
from django_stream.publishing.publisher import Change, Desired, Record


@dataclass(frozen=True, slots=True)
class FollowDeclaration:
    """The `class Follows:` of a model."""

    follower: str = "follower"
    """Foreign key to the owner of the news feeds."""
    followed: str = "followed"
    """Foreign key to the owner of the feed that is followed."""
    feed: str | None = None
    """Slug of the feed that is followed, when it is not STREAM_USER_FEED."""


class FollowPublisher(TrackedPublisher):
    """Its keys are the pairs (follower, followed): one worker at a time per pair keeps their order."""

    kind = "follow"
    keys_follow_fields = True

    def __init__(self, model: type[models.Model], declaration: FollowDeclaration) -> None:
        super().__init__(model)
        self.declaration = declaration
        names = (declaration.follower, declaration.followed)
        self.key_fields = tuple(model._meta.get_field(name) for name in names)
        if not all(field.concrete for field in self.key_fields):
            raise TypeError(f"{model._meta.label}: follows are read from columns of the model's own")
        self._columns = tuple(field.attname for field in self.key_fields)

    @property
    def declared_feed(self) -> str | None:
        return self.declaration.feed

    def matters(self, changed_fields: Collection[str]) -> bool:
        names = {self.declaration.follower, self.declaration.followed, *self._columns}
        return not names.isdisjoint(changed_fields)

    def keys_of(self, instance: models.Model) -> list[str]:
        loaded = instance.__dict__
        pairs = [getattr(instance, "_stream_pair_before", None)]
        # Deferred columns of a deleted row cannot be loaded any more; its pair was remembered before.
        if loaded.keys() >= set(self._columns):
            pairs.append(tuple(field.to_python(loaded[field.attname]) for field in self.key_fields))
        return sorted({json_key(pair) for pair in pairs if pair is not None and None not in pair})

    def locked_pair(self, pk: Any, using: str) -> tuple[Any, ...] | None:
        """The pair of a row as it stands in the table, which nobody changes until the transaction ends."""
        rows = all_rows(self.model, using).filter(pk=pk).order_by()
        return rows.select_for_update().values_list(*self._columns).first()

    def keys_where(self, rows: models.QuerySet[Any]) -> Iterable[str]:
        pairs = rows.values_list(*self._columns).iterator(chunk_size=2000)
        return (json_key(pair) for pair in pairs if None not in pair)

    def desired(self, keys: Collection[str], using: str) -> dict[str, Desired | Exception]:
        follower, followed = self._columns
        pairs = {key: json.loads(key) for key in keys}
        rows = self.model._base_manager.using(using).filter(
            **{f"{follower}__in": {pair[0] for pair in pairs.values()}},
            **{f"{followed}__in": {pair[1] for pair in pairs.values()}},
        )
        there = set(self.keys_where(rows.distinct()))
        found = [pair for key, pair in pairs.items() if key in there]
        source, target = self.key_fields
        followers = _owner_ids(source, [pair[0] for pair in found], using)
        followees = _owner_ids(target, [pair[1] for pair in found], using)
        return {
            json_key(pair): Desired(self._records(followers[pair[0]], followees[pair[1]]))
            for pair in found
            if pair[0] in followers and pair[1] in followees
        }

    def _records(self, follower: OwnerID, followed: OwnerID) -> list[Record]:
        target = str(feed_id(self.declaration.feed or stream_settings.USER_FEED, followed))
        return [
            {"source": str(feed_id(slug, follower)), "target": target}
            for slug in stream_settings.news_feeds.values()
        ]

    def apply(self, client: StreamClient, changes: list[Change]) -> Mapping[str, Exception]:
        sender = Sender()
        follow = [change for change in changes if change.desired is not None]
        unfollow = [change for change in changes if change.stale]
        copy_limit = stream_settings.ACTIVITY_COPY_LIMIT
        # The client splits by the API's own limit.
        sender.batch(follow, len(changes), lambda part: client.follow_many(_follows(part), copy_limit))
        sender.batch(unfollow, len(changes), lambda part: client.unfollow_many(_unfollows(part)))
        return sender.failures


def _owner_ids(field: Any, values: Iterable[str], using: str) -> dict[str, OwnerID]:
    """The owners that a foreign key's values stand for; those whose rows are gone are left out.

    Rows are read only where the key does not tell: `to_field` names another column, or rows name themselves.
    """
    model = field.related_model
    if field.target_field.primary_key and not names_itself(model):
        return {value: owner_id_of(model, value) for value in values}
    name = field.target_field.attname
    rows = model._base_manager.using(using).filter(**{f"{name}__in": set(values)})
    return {str(getattr(row, name)): owner_id(row) for row in rows}


def _follows(changes: Sequence[Change]) -> list[Record]:
    return [record for change in changes if change.desired for record in change.desired.records]


def _unfollows(changes: Sequence[Change]) -> list[Record]:
    return [record for change in changes for record in change.stale]
