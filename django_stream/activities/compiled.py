"""What many rows say, by functions that are made once and not by a dozen properties for each row.

The properties and `payload_of` decide what an activity is. These functions say the same of rows whose class
replaces none of them. Whatever is unusual about a single row, errors included, is left to `payload_of`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from django.db import DatabaseError, models

from django_stream.activities.declaration import STREAM_DJANGO, ActivityDeclaration
from django_stream.activities.model_references import concrete, object_ids_of, references_of
from django_stream.activities.owners import owner_ids_of
from django_stream.activities.paths import Source, add_origin, reader, wire_name
from django_stream.activities.payload import (
    Payload,
    addressed,
    for_recipients_only,
    others,
    payload_of,
    storable,
    time_text,
)
from django_stream.activities.policies import manager_with_own
from django_stream.activities.representation import (
    DEFAULT_ACTOR,
    DEFAULT_TIME,
    ActivityProperties,
    RegisteredActivity,
    says_as_declared,
    several,
    without_clients,
)
from django_stream.conf import stream_settings
from django_stream.protocol.feed_ids import FeedID

_POLICIES = (
    "get_recipients",
    "get_actor_feed",
    "get_feed",
    "user_feed",
    "get_notification_feed",
    "notification_feed",
)
Reader = Callable[[Any], Any]
Teller = Callable[[Any], Payload | None]


class _Unusual(Exception):
    """This row is left to the properties."""


class _ByClass(dict[type[Any], Reader]):
    """Functions of values, each made when the first value of its class comes."""

    def __init__(self, make: Callable[[type[Any]], Reader]) -> None:
        self._make = make

    def __missing__(self, kind: type[Any]) -> Reader:
        self[kind] = made = self._make(kind)
        return made


def payloads_by(representation: Callable[[Any], ActivityProperties]) -> Teller:
    """What `payload_of` answers, for rows as a database has them, and as long as no setting changes."""
    tellers: dict[type[Any], Teller] = {}

    def tell(row: Any) -> Payload | None:
        try:
            if type(row) not in tellers:
                tellers[type(row)] = _teller_of(representation(row))
            return tellers[type(row)](row)
        except DatabaseError:  # inside a transaction nothing can be asked again
            raise
        except Exception:
            return payload_of(representation(row))

    return tell


def _teller_of(said: ActivityProperties) -> Teller:
    row: Any = said.activity_instance
    declared = said.activity_declaration
    is_as_declared = type(said) is RegisteredActivity or (said is row and says_as_declared(type(row)))
    if is_as_declared and declared.identity != STREAM_DJANGO and not manager_with_own(*_POLICIES):
        return _made(type(row), declared)
    return _left_to_properties


def _left_to_properties(row: Any) -> Payload | None:
    raise _Unusual


def _made(model: type[models.Model], declared: ActivityDeclaration) -> Teller:
    condition = _source(declared.should_publish, "activity_should_publish")
    extra = [(wire_name(path), reader(path)) for path in declared.extra]
    time = _required(declared.time or DEFAULT_TIME, "activity_time")
    actor = _required(declared.actor or DEFAULT_ACTOR, "activity_actor")
    verb = _verb(model, declared.verb)
    object_ = _source(declared.object, "activity_object")
    target = _source(declared.target, "activity_target")
    recipients = _recipients(declared)
    is_private = _flag(declared.to_only)
    slug, notify_self = declared.feed or stream_settings.USER_FEED, declared.notify_self
    label, object_id = concrete(model)._meta.label, object_ids_of(model)
    references, owners = _ByClass(references_of), _ByClass(_owners_of)

    def tell(row: Any) -> Payload | None:
        if condition is not None and not condition(row):
            return None
        activity = {name: read(row) for name, read in extra}
        activity["time"] = time_text(time(row))
        acting = actor(row)
        activity["actor"] = references[type(acting)](acting)
        activity["verb"] = verb(row)
        acted_upon = row if object_ is None else object_(row)
        activity["object"] = references[type(acted_upon)](acted_upon)
        if not (activity["actor"] and activity["verb"] and activity["object"]):
            raise _Unusual
        activity["foreign_id"] = storable(f"{label}:{object_id(row)}")
        if target is not None and (aimed_at := target(row)) is not None:
            activity["target"] = references[type(aimed_at)](aimed_at)
        owner = owners[type(acting)](acting)
        activity.pop("to", None)
        to = None if recipients is None else recipients(row)
        if to and not notify_self:
            to = others(to, owner)
        if is_private is not None and is_private(row):
            return for_recipients_only(activity, to)
        return addressed(activity, FeedID(slug, owner), to)

    return tell


def _source(source: Source | None, name: str) -> Reader | None:
    return None if source is None else _required(source, name)


def _required(source: Source, name: str) -> Reader:
    return _named(source, name) if callable(source) else reader(source)


def _named(read: Reader, name: str) -> Reader:
    """The same, with a note of the property's name on what it raises."""

    def named(row: Any) -> Any:
        try:
            return read(row)
        except Exception as error:
            add_origin(error, row, name)
            raise

    return named


def _verb(model: type[models.Model], verb: Source | None) -> Reader:
    if callable(verb):
        read = _named(verb, "activity_verb")
        return lambda row: str(read(row) or "")
    fixed = model._meta.model_name if verb is None else verb
    return lambda row: fixed


def _recipients(declared: ActivityDeclaration) -> Reader | None:
    if declared.to is None:
        return None
    read = reader(cast("Source", declared.to))
    return _named(lambda row: without_clients(several(read(row), row)), "activity_notify")


def _flag(source: Source | bool) -> Reader | None:
    if isinstance(source, bool):
        return (lambda row: True) if source else None
    return _required(source, "activity_to_only")


def _owners_of(kind: type[Any]) -> Reader:
    return owner_ids_of(kind) if issubclass(kind, models.Model) else _left_to_properties
