"""django-activity-stream: its actions and follows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any

from django.db import models

from django_stream.activities.context_feeds import GROUPS, OBJECT, TARGET, model_feed
from django_stream.activities.model_references import reference_of
from django_stream.activities.owners import feed_id
from django_stream.activities.representation import aware
from django_stream.conf import stream_settings
from django_stream.moving.sending import Destination, Entry, Outcome
from django_stream.moving.tables import Pointer, in_steps, json_of, read_table, rows_at, users_at

_Rows = dict[Pointer, models.Model]


def groups() -> list[str]:
    """The feed groups that are written to."""
    return [stream_settings.USER_FEED, *stream_settings.news_feeds.values(), *GROUPS]


def run(to: Destination, using: str) -> None:
    """Follows before activities: a follow copies part of a history, an activity goes to all followers."""
    for follows in in_steps(_follows(using).objects.using(using), "id"):
        to.follow(list(_pairs(follows, using, to.outcome)))
    actions = _actions(using).objects.using(using)
    to.outcome.left_out["not public"] += actions.filter(public=False).count()
    for some in in_steps(actions.filter(public=True), "timestamp", "id"):
        rows = rows_at((pointer for action in some for pointer in _pointers(action)), using)
        to.add(to.each(some, partial(_entry, rows=rows, outcome=to.outcome)))


def _follows(using: str) -> Any:
    return read_table(
        "actstream_follow",
        using,
        id=models.BigIntegerField(primary_key=True),
        user=models.TextField(db_column="user_id"),
        content_type=models.IntegerField(db_column="content_type_id"),
        object_id=models.TextField(),
        actor_only=models.BooleanField(),
    )


def _actions(using: str) -> Any:
    pointers: dict[str, models.Field[Any, Any]] = {}
    for name in ("actor", "target", "action_object"):
        pointers[f"{name}_content_type_id"] = models.IntegerField(null=True)
        pointers[f"{name}_object_id"] = models.TextField(null=True)
    return read_table(
        "actstream_action",
        using,
        id=models.BigIntegerField(primary_key=True),
        verb=models.TextField(),
        description=models.TextField(null=True),
        timestamp=models.DateTimeField(),
        public=models.BooleanField(),
        data=models.TextField(null=True),
        **pointers,
    )


def _pairs(follows: Iterable[Any], using: str, outcome: Outcome) -> Iterator[dict[str, str]]:
    """One follow for each feed: flags of one pair are one, and an unfollow ends them together."""
    follows = list(follows)
    followed = rows_at(((one.content_type, one.object_id) for one in follows), using)
    users = users_at({one.user for one in follows}, using)
    for one in follows:
        row, user = followed.get((one.content_type, one.object_id)), users.get(str(one.user))
        if row is None or user is None:
            outcome.left_out["follows of or by rows that are gone"] += 1
            continue
        slugs = [stream_settings.USER_FEED] if one.actor_only else [stream_settings.USER_FEED, OBJECT, TARGET]
        for news in stream_settings.news_feeds.values():
            for slug in slugs:
                yield {"source": str(feed_id(news, user)), "target": str(feed_id(slug, row))}


def _pointers(action: Any) -> Iterator[Pointer]:
    for name in ("actor", "action_object", "target"):
        yield _pointer(action, name)


def _pointer(action: Any, name: str) -> Pointer:
    return getattr(action, f"{name}_content_type_id"), getattr(action, f"{name}_object_id")


def _entry(action: Any, rows: _Rows, outcome: Outcome) -> Entry | None:
    actor, object_, target = (rows.get(pointer) for pointer in _pointers(action))
    if actor is None:
        outcome.left_out["the actor is gone"] += 1
        return None
    for name, row in (("action object", object_), ("target", target)):
        if row is None and _pointer(action, name.replace(" ", "_"))[1] is not None:
            outcome.notes[f"sent without its {name}, which is gone"] += 1
    for row in (actor, object_, target):
        if row is not None:
            outcome.refer_to(row)
    foreign_id = f"actstream.Action:{action.id}"
    activity: dict[str, Any] = {
        "actor": reference_of(actor),
        "verb": action.verb,
        "object": reference_of(done_to) if (done_to := object_ or target) else foreign_id,
        "foreign_id": foreign_id,
        "time": aware(action.timestamp),
        "to": sorted(set(_further_feeds(actor, object_, target))),
    }
    if target is not None:
        activity["target"] = reference_of(target)
    if action.description:
        activity["description"] = action.description
    if data := json_of(getattr(action, "data", None)):
        activity["data"] = data
    return Entry(feed_id(stream_settings.USER_FEED, actor), activity)


def _further_feeds(
    actor: models.Model, object_: models.Model | None, target: models.Model | None
) -> Iterator[str]:
    if object_ is not None:
        yield str(feed_id(OBJECT, object_))
    if target is not None:
        yield str(feed_id(TARGET, target))
    for row in (actor, object_, target):
        if row is not None:
            yield str(model_feed(type(row)))
