"""Rows that say 'A follows B': how they become follows between feeds."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.db import models, transaction

from django_stream.activities.ids import json_key
from django_stream.activities.owners import OwnerID
from django_stream.activities.paths import Source, first_field, resolve
from django_stream.activities.policies import manager_with_own
from django_stream.activities.publishers.base import TrackedPublisher, watched_steps, with_related
from django_stream.activities.publishers.ends import Value, end_of
from django_stream.activities.publishers.follow_records import (
    POLICIES,
    Meant,
    follow_records,
    rows_told,
    send_follows,
)
from django_stream.activities.publishers.noted_tables import NoCapture, pair_table, referring_tables
from django_stream.database.batches import batched
from django_stream.database.bulk_sql import rows_among
from django_stream.database.querysets import all_rows
from django_stream.database.tables import has_table
from django_stream.database.triggers.noting import NotedTable
from django_stream.publishing.models import Publication
from django_stream.publishing.publisher import Change, Dependents, Desired, publishers

if TYPE_CHECKING:
    from django_stream.client import StreamClient

_Pair = tuple[tuple[str, ...], tuple[str, ...]]
_CHUNK = 500


@dataclass(frozen=True, slots=True)
class FollowDeclaration:
    """The `class Follows:` of a model."""

    follower: str = "follower"
    """Foreign key, generic one, or path of keys such as "list.owner", to the owner of the news feeds."""
    followed: str = "followed"
    """The same to the owner of the feed that is followed."""
    feed: str | None = None
    """Slug of the feed that is followed, when it is not STREAM_USER_FEED."""
    should_publish: Source | None = None
    """False for a row that does not follow (yet, or any more): a request that waits, a block."""
    requested: Source | None = None
    """True for such a row where it waits to be accepted: who made it may take it back."""
    capture: str | None = None

    @property
    def meaning(self) -> str:
        """Which follows the rows mean, whatever the condition."""
        return ",".join(str(one) for one in (self.follower, self.followed, self.feed) if one)


class FollowPublisher(TrackedPublisher):
    """Its keys are the pairs (follower, followed): one worker at a time per pair keeps their order."""

    kind = "follow"
    keys_follow_fields = True

    def __init__(self, model: type[models.Model], declaration: FollowDeclaration) -> None:
        super().__init__(model)
        self.declaration = declaration
        self._ends = (end_of(model, declaration.follower), end_of(model, declaration.followed))
        # Two paths may begin with the same key.
        self.key_fields = tuple(dict.fromkeys(field for end in self._ends for field in end.fields))
        self._columns = tuple(field.attname for field in self.key_fields)
        self.is_path = any(end.is_path for end in self._ends)
        """Whether rows of other tables stand between, so that several keys may mean one pair."""
        self._condition_reads_all, self._watched = self._what_matters()
        self.variant = ""
        """Tells it from others of the same rows, which mean several follows."""

    @property
    def label(self) -> str:
        return f"{super().label}:{self.variant}" if self.variant else super().label

    def _what_matters(self) -> tuple[bool, frozenset[str]]:
        """Whether any field may matter, since a callable reads it; and those that do for certain."""
        names = {name for field in self.key_fields for name in (field.name, field.attname)}
        condition = self.declaration.should_publish
        if condition is None:
            return False, frozenset(names)
        name = first_field(self.model, condition)
        field: Any = self.model._meta.get_field(name) if name else None
        return field is None, frozenset(names | {name or "", getattr(field, "attname", "")})

    @property
    def declared_feed(self) -> str | None:
        return self.declaration.feed

    @property
    def names_tell_rows(self) -> bool:
        """Whether the names of two feeds tell which rows make one follow the other."""
        itself = any(end.may_name_themselves for end in self._ends)
        return not itself and manager_with_own(*POLICIES) is None

    def matters(self, changed_fields: Collection[str]) -> bool:
        return self._condition_reads_all or not self._watched.isdisjoint(changed_fields)

    def noted_tables(self, using: str) -> Iterator[NotedTable]:
        watched = None if self._condition_reads_all else self._watched
        yield pair_table(self.model, self.key_fields, watched, using)
        for related, path, columns in self._watched_on(
            (self.declaration.follower, self.declaration.followed)
        ):
            yield from referring_tables(self.model, related, path, columns, using, self.key_fields)
        for related, path, columns in self._watched_on([self.declaration.should_publish]):
            # What triggers do not reach is noticed by `republish` only, as where a condition is code.
            with suppress(NoCapture):
                yield from [*referring_tables(self.model, related, path, columns, using, self.key_fields)]

    def watched_relations(self) -> Iterator[tuple[Any, str, frozenset[str] | None]]:
        declared = self.declaration
        return self._watched_on((declared.follower, declared.followed, declared.should_publish))

    def _watched_on(self, paths: Iterable[Any]) -> Iterator[tuple[Any, str, frozenset[str] | None]]:
        for path in paths:
            if isinstance(path, str):
                yield from watched_steps(self.model, path)

    def keys_of(self, instance: models.Model) -> list[str]:
        loaded = instance.__dict__
        pairs = [loaded.get("_stream_pairs_before", {}).get(self.label)]
        # Deferred columns of a deleted row cannot be loaded any more; its pair was remembered before.
        if loaded.keys() >= set(self._columns):
            pairs.append(tuple(field.to_python(loaded[field.attname]) for field in self.key_fields))
        return sorted({json_key(pair) for pair in pairs if pair is not None and None not in pair})

    def locked_pair(self, pk: Any, using: str) -> tuple[Any, ...] | None:
        """The pair of a row as it stands in the table, which nobody changes until the transaction ends."""
        rows = all_rows(self.model, using).filter(pk=pk).order_by()
        if transaction.get_connection(using).in_atomic_block:
            rows = rows.select_for_update()
        return rows.values_list(*self._columns).first()

    def remember_pair(self, instance: models.Model, using: str) -> None:
        """Keep the pair that a row has in the table with the instance; it is one of its keys from now on."""
        pairs = instance.__dict__.setdefault("_stream_pairs_before", {})
        pairs[self.label] = self.locked_pair(instance.pk, using)

    def joins(self, follower: type[models.Model], followed: type[models.Model]) -> bool:
        """Whether a row can make a row of one model follow one of the other."""
        return all(end.takes(model) for end, model in zip(self._ends, (follower, followed), strict=True))

    def rows_between(
        self, follower: models.Model, followed: models.Model, using: str
    ) -> models.QuerySet[Any]:
        """The rows by which one follows the other."""
        rows = self.model._default_manager.using(using)
        ends = [end.lookup(owner, using) for end, owner in zip(self._ends, (follower, followed), strict=True)]
        if None in ends:
            return rows.none()
        return rows.filter(**{name: value for end in ends if end for name, value in end.items()})

    def keys_where(self, rows: models.QuerySet[Any]) -> Iterable[str]:
        pairs = rows.values_list(*self._columns).iterator(chunk_size=2000)
        return (json_key(pair) for pair in pairs if None not in pair)

    def desired(self, keys: Collection[str], using: str) -> dict[str, Desired | Exception]:
        follower, followed = self._ends
        pairs = {key: self._split(json.loads(key)) for key in keys}
        there, failed = self._there(pairs, using)
        ends = [pair[0] for pair in there.values()], [pair[1] for pair in there.values()]
        meant: dict[str, Meant] = {}
        if self.is_path:
            # Read once: what is sent and what the ledger says of it are of one moment.
            followers, rows = follower.read(ends[0], using)
            followees, others = followed.read(ends[1], using)
            meant = _paired(there, rows, others)
        else:
            followers, followees = follower.owner_ids(ends[0], using), followed.owner_ids(ends[1], using)
        found: dict[str, Desired | Exception] = {
            key: self._desired(followers[pair[0]], followees[pair[1]], meant.get(key))
            for key, pair in there.items()
            if pair[0] in followers and pair[1] in followees
        }
        return {**found, **failed}

    def _desired(
        self, follower: OwnerID | Exception, followed: OwnerID | Exception, meant: Meant | None
    ) -> Desired | Exception:
        if isinstance(follower, Exception):
            return follower
        if isinstance(followed, Exception):
            return followed
        return Desired(follow_records(follower, followed, self.declaration.feed, meant))

    def there(self, keys: Collection[str], using: str) -> Collection[str]:
        found = self.keys_where(self._rows_of({key: self._split(json.loads(key)) for key in keys}, using))
        return set(keys).intersection(found)

    def _split(self, values: list[str]) -> _Pair:
        by_field = dict(zip(self.key_fields, values, strict=True))
        follower, followed = (tuple(by_field[field] for field in end.fields) for end in self._ends)
        return follower, followed

    def _there(self, pairs: Mapping[str, _Pair], using: str) -> tuple[dict[str, _Pair], dict[str, Exception]]:
        """The pairs of which a row says that they follow, and those whose row cannot be asked."""
        there, failed = set(), {}
        for key, follows in self._answers(self._rows_of(pairs, using)):
            if isinstance(follows, Exception):
                failed[key] = follows
            elif follows:
                there.add(key)
        # One row that follows is enough.
        failed = {key: error for key, error in failed.items() if key in pairs and key not in there}
        return {key: pair for key, pair in pairs.items() if key in there}, failed

    def _rows_of(self, pairs: Mapping[str, _Pair], using: str) -> models.QuerySet[Any]:
        """The rows of these pairs."""
        wanted = [tuple(json.loads(key)) for key in pairs]
        return self.model._base_manager.using(using).filter(rows_among(self.key_fields, wanted, using))

    def _answers(self, rows: models.QuerySet[Any]) -> Iterator[tuple[str, bool | Exception]]:
        """Key by key, whether a row follows, or what its code raised."""
        condition = self.declaration.should_publish
        if condition is None:
            yield from ((key, True) for key in self.keys_where(rows.distinct()))
            return
        for row in with_related(rows, [condition], rows.db):
            (key,) = self.keys_of(row) or [""]
            try:
                yield key, bool(resolve(row, condition))
            except Exception as error:  # the model's own code: whatever it raises concerns this pair only
                yield key, error

    def dependents(self, changes: Collection[Change], using: str) -> Iterator[Dependents]:
        """Rows of other tables, or other keys of the same, may say that a pair follows all the same."""
        gone = [change for change in changes if change.stale]
        if not gone:
            return
        if self.is_path:
            meant = rows_told(record for change in gone for record in change.stale)
        else:
            pairs = {one.key: self._split(json.loads(one.key)) for one in gone}
            meant = set(self._meant(pairs, using).values())
        mine = {change.key for change in changes if change.desired is None}
        for one in publishers():
            if not isinstance(one, FollowPublisher):
                continue
            keys = [key for key in one.keys_meaning(meant, using) if one is not self or key not in mine]
            if not keys:
                continue
            known = Publication.objects.using(using).filter(model_label=one.label, object_key__in=keys)
            yield Dependents(one.label, list(known.values_list("object_key", flat=True)), force=True)

    def _meant(self, pairs: Mapping[str, _Pair], using: str) -> dict[str, Meant]:
        """The rows that pairs of values stand for, by key."""
        follower, followed = self._ends
        followers = follower.rows_meant([pair[0] for pair in pairs.values()], using)
        followees = followed.rows_meant([pair[1] for pair in pairs.values()], using)
        return _paired(pairs, followers, followees)

    def keys_meaning(self, pairs: Collection[Meant], using: str) -> list[str]:
        """The keys of pairs of rows, each a model and the text of a primary key."""
        follower, followed = self._ends
        followers = follower.values_meaning([pair[0] for pair in pairs], using)
        followees = followed.values_meaning([pair[1] for pair in pairs], using)
        wanted = {
            (*one, *other) for a, b in pairs for one in followers.get(a, ()) for other in followees.get(b, ())
        }
        return self._keys_leading_to(wanted, using) if self.is_path else sorted(map(json_key, wanted))

    def _keys_leading_to(self, wanted: Collection[tuple[str, ...]], using: str) -> list[str]:
        """The keys of all rows whose paths end in one of these pairs of values."""
        columns = [name for end in self._ends for name in end.columns]
        fields = [field for end in self._ends for field in end.last.fields]
        readable = [values for values in wanted if _can_hold(fields, values)]
        if not readable or not has_table(self.model, using):
            return []
        found: set[str] = set()
        for some in batched(readable, _CHUNK):
            rows = self.model._base_manager.using(using).filter(rows_among(fields, some, using, columns))
            for key in rows.values_list(*self._columns).iterator(chunk_size=2000):
                if None not in key:
                    found.add(json_key(key))
        return sorted(found)

    def apply(self, client: StreamClient, changes: list[Change]) -> Mapping[str, Exception]:
        return send_follows(client, changes)


def _paired(
    pairs: Mapping[str, _Pair], followers: Mapping[Value, Any], followees: Mapping[Value, Any]
) -> dict[str, Meant]:
    return {
        key: (followers[a], followees[b])
        for key, (a, b) in pairs.items()
        if a in followers and b in followees
    }


def _can_hold(fields: Sequence[Any], values: Sequence[str]) -> bool:
    """Whether columns of these fields can hold the values: a number can be no UUID."""
    try:
        for field, value in zip(fields, values, strict=True):
            field.to_python(value)
    except (ValidationError, ValueError, TypeError):
        return False
    return True
