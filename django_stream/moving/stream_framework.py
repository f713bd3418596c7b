"""Stream-Framework: the activities that it keeps in Redis, where the site has no rows for them.

Its entries are texts, `actor,verb,object,target,seconds,extra`, in the hashes of its activity storage, by a
serialization id that holds time, object and verb. It keeps ids alone: what they are ids of, the site tells.
"""

from __future__ import annotations

import hashlib
import io
import pickle
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from django.apps import apps
from django.contrib.auth import get_user_model
from django.db import models
from django.utils.module_loading import import_string

from django_stream.activities.model_references import reference_of
from django_stream.activities.owners import feed_id
from django_stream.activities.publishers.activities import representation_of
from django_stream.client.encoding import plain
from django_stream.conf import stream_settings
from django_stream.database.querysets import all_rows
from django_stream.moving.sending import Destination, Entry, Outcome
from django_stream.moving.tables import in_steps, rows_of

_CHUNK = 1000


class WrongMapping(ValueError):
    """What was told of the ids in Redis cannot be understood."""


@dataclass(frozen=True, slots=True)
class Said:
    """What a verb's id stands for, and of which models the ids beside it are."""

    verb: str
    object: type[models.Model]
    target: type[models.Model] | None


@dataclass(frozen=True, slots=True)
class Ids:
    """What the ids in Redis stand for, and how its keys are called."""

    verbs: Mapping[int, Said]
    actor: type[models.Model]
    feeds: str
    """Of sorted sets: the `key_format` of the class of user feeds."""
    activities: str
    """Of hashes: the key of the activity storage."""
    shards: int


class Stored(NamedTuple):
    """An activity as it is in Redis."""

    id: str
    verb: Said
    object: int
    target: int
    time: datetime
    extra: Any


def groups() -> list[str]:
    """The feed groups that are written to."""
    return [stream_settings.USER_FEED]


def ids_named(dotted_path: str | None) -> Ids:
    """What a dictionary of the site says of the ids; WrongMapping where it cannot be understood."""
    if not dotted_path:
        raise WrongMapping("name a dictionary that says what ids stand for: --mapping shop.moving.IDS")
    try:
        given = import_string(dotted_path)
        verbs = {int(key): _said(value) for key, value in given["verbs"].items()}
        return Ids(
            verbs=verbs,
            actor=apps.get_model(given["actor"]) if "actor" in given else get_user_model(),
            feeds=given.get("feeds", "user_feed:%(user_id)s"),
            activities=given.get("activities", "global"),
            shards=int(given.get("shards", 10)),
        )
    except (ImportError, LookupError, TypeError, ValueError, AttributeError) as error:
        raise WrongMapping(f"{dotted_path} cannot be understood, {error!r}: see docs/moving") from error


def _said(value: Mapping[str, str]) -> Said:
    target = value.get("target")
    return Said(value["verb"], apps.get_model(value["object"]), apps.get_model(target) if target else None)


def run(to: Destination, using: str, url: str, ids: Ids, *, unpickle: bool) -> None:
    """The feeds of all actors, newest first, as they are in the sorted sets; what was removed is in none."""
    with closing(_redis(url)) as redis:
        for actors in in_steps(all_rows(ids.actor, using), "pk"):
            for actor in actors:
                to.outcome.refer_to(actor)
                for stored in _pages(redis, ids, actor.pk, to.outcome, unpickle=unpickle):
                    to.add(_entries(actor, stored, using, to.outcome))


def _redis(url: str) -> Any:
    try:
        from redis import Redis
    except ImportError as error:
        raise WrongMapping("reading Redis needs the extra redis: django-stream-feeds[redis]") from error
    return Redis.from_url(url)


def _pages(redis: Any, ids: Ids, key: object, outcome: Outcome, *, unpickle: bool) -> Iterator[list[Stored]]:
    name, start = ids.feeds % {"user_id": key}, 0
    while names := [one.decode() for one in redis.zrevrange(name, start, start + _CHUNK - 1)]:
        start += len(names)
        pipeline = redis.pipeline(transaction=False)
        for one in names:
            # As their hashes are sharded: by the digest of the field.
            shard = int(hashlib.md5(one.encode(), usedforsecurity=False).hexdigest(), 16) % ids.shards
            pipeline.hget(f"{ids.activities}:{shard}", one)
        texts = pipeline.execute()
        found = [
            _read(one, text, ids, outcome, unpickle=unpickle) for one, text in zip(names, texts, strict=True)
        ]
        yield [one for one in found if one is not None]


def _read(name: str, text: bytes | None, ids: Ids, outcome: Outcome, *, unpickle: bool) -> Stored | None:
    """An entry of the storage: `actor,verb,object,target,seconds,extra`."""
    if text is None:
        outcome.left_out["the feed has the id of an activity that is not stored"] += 1
        return None
    try:
        _, verb, object_, target, seconds, extra = text.decode().split(",", 5)
        said = ids.verbs.get(int(verb))
        time = datetime.fromtimestamp(0, UTC) + timedelta(microseconds=round(float(seconds) * 1_000_000))
        known = (int(object_), int(target))
    except (ValueError, OverflowError):
        outcome.left_out["the text that is stored cannot be read"] += 1
        return None
    if said is None:
        outcome.left_out[f"the mapping has no verb {int(verb)}"] += 1
        return None
    return Stored(name, said, *known, time, _extra(extra, outcome, unpickle=unpickle))


def _extra(text: str, outcome: Outcome, *, unpickle: bool) -> Any:
    if not text:
        return None
    if not unpickle:
        outcome.notes["sent without extra_context, which is pickled: see --unpickle"] += 1
        return None
    try:
        return plain(_Plain(io.BytesIO(text.encode("latin1"))).load())
    except Exception:  # what a pickle may raise is open-ended
        outcome.notes["sent without extra_context, which holds more than plain values"] += 1
        return None


class _Plain(pickle.Unpickler):
    """Reads plain values, and calls nothing else that a pickle names."""

    _SAFE = frozenset({("datetime", "datetime"), ("datetime", "date"), ("decimal", "Decimal")})

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in self._SAFE:
            raise pickle.UnpicklingError(f"{module}.{name} is no plain value")
        return super().find_class(module, name)


def _entries(actor: models.Model, stored: list[Stored], using: str, outcome: Outcome) -> Iterator[Entry]:
    rows = _rows(stored, using)
    for one in stored:
        row = rows.get((one.verb.object, one.object))
        target = rows.get((one.verb.target, one.target))
        if row is None:
            outcome.left_out["the object is gone"] += 1
        elif representation_of(row) is not None:
            outcome.left_out[f"rows of {row._meta.label} are activities: stream_backfill brings them"] += 1
        else:
            yield Entry(
                feed_id(stream_settings.USER_FEED, actor), _activity(actor, one, row, target, outcome)
            )


def _rows(stored: list[Stored], using: str) -> dict[tuple[Any, int], models.Model]:
    """Objects and targets, by one query for each model."""
    keys: dict[Any, set[int]] = defaultdict(set)
    for one in stored:
        keys[one.verb.object].add(one.object)
        if one.verb.target and one.target:
            keys[one.verb.target].add(one.target)
    return {(model, key): row for model, some in keys.items() for key, row in rows_of(model, some, using)}


def _activity(
    actor: models.Model, stored: Stored, row: models.Model, target: models.Model | None, outcome: Outcome
) -> dict[str, Any]:
    for one in (row, target):
        if one is not None:
            outcome.refer_to(one)
    if stored.target and target is None:
        outcome.notes["sent without its target, which is gone"] += 1
    activity = {
        "actor": reference_of(actor),
        "verb": stored.verb.verb,
        "object": reference_of(row),
        "target": reference_of(target) if target else None,
        "foreign_id": f"stream_framework.Activity:{stored.id}",
        "time": stored.time,
        "extra_context": stored.extra,
    }
    return {name: value for name, value in activity.items() if value is not None}
