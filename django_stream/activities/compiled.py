"""What many rows say, by functions that are made once and not by a dozen properties for each row.

The properties and `payload_of` decide what an activity is. These functions say the same of rows whose class
replaces none of them. Whatever is unusual about a single row, errors included, is left to `payload_of`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, cast

from django.db import DatabaseError, models

from django_stream.activities.declaration import STREAM_DJANGO, ActivityDeclaration
from django_stream.activities.model_references import concrete, key_texts_of, references_by_key, references_of
from django_stream.activities.owners import OwnerID, owner_ids_of
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


class Unusual(Exception):
    """This row is left to the properties."""


class Reading(Protocol):
    """How the sources of a declaration are read of what stands for a row: `_Instances`, or `Columns`."""

    def value(self, source: Source, name: str) -> Reader:
        """What a source leads to; `name` is that of the property."""

    def who(self, source: Source, name: str) -> Callable[[Any], tuple[str | None, OwnerID]]:
        """The reference of the row that a source leads to, and whose feeds are its own."""

    def what(self, source: Source, name: str) -> Callable[[Any], str | None]:
        """The reference alone."""

    def recipients(self, source: Source) -> Callable[[Any], list[Any]]:
        """Feed ids, users and whatever else a source leads to."""

    def key(self, row: Any) -> Any:
        """The primary key of the row."""


def payloads_by(representation: Callable[[Any], ActivityProperties]) -> Teller:
    """What `payload_of` answers, for rows as a database has them, and as long as no setting changes."""
    tellers: dict[type[Any], Teller] = {}

    def tell(row: Any) -> Payload | None:
        try:
            if type(row) not in tellers:
                is_usual = is_as_declared(said := representation(row))
                tellers[type(row)] = (
                    teller(type(row), said.activity_declaration, _Instances()) if is_usual else _leave
                )
            return tellers[type(row)](row)
        except DatabaseError:  # inside a transaction nothing can be asked again
            raise
        except Exception:
            return payload_of(representation(row))

    return tell


def is_as_declared(said: ActivityProperties) -> bool:
    """Whether neither a row's class nor the project decides by code what rows like this one say."""
    if not (type(said) is RegisteredActivity or says_as_declared(type(said))):
        return False
    return said.activity_declaration.identity != STREAM_DJANGO and not manager_with_own(*_POLICIES)


def _leave(row: Any) -> Any:
    raise Unusual


def teller(model: type[models.Model], declared: ActivityDeclaration, reading: Reading) -> Teller:
    """The function for rows of one model; it raises an error for what `payload_of` is to be asked."""
    condition = _optional(reading.value, declared.should_publish, "activity_should_publish")
    extra = [(wire_name(path), reading.value(path, "extra_activity_data")) for path in declared.extra]
    time = reading.value(declared.time or DEFAULT_TIME, "activity_time")
    actor = reading.who(declared.actor or DEFAULT_ACTOR, "activity_actor")
    verb = _verb(model, declared.verb, reading)
    object_ = _optional(reading.what, declared.object, "activity_object")
    target = _optional(reading.what, declared.target, "activity_target")
    recipients = None if declared.to is None else reading.recipients(cast("Source", declared.to))
    is_private = _flag(declared.to_only, reading)
    slug, notify_self = declared.feed or stream_settings.USER_FEED, declared.notify_self
    context = stream_settings.CONTEXT_FEEDS
    label, key, key_text = concrete(model)._meta.label, reading.key, key_texts_of(model)
    own = references_by_key(model)

    def tell(row: Any) -> Payload | None:
        if condition is not None and not condition(row):
            return None
        activity = {name: read(row) for name, read in extra}
        activity["time"] = time_text(time(row))
        activity["actor"], owner = actor(row)
        activity["verb"] = verb(row)
        pk = key(row)
        activity["object"] = own(pk) if object_ is None else object_(row)
        if not (activity["actor"] and activity["verb"] and activity["object"]):
            raise Unusual
        activity["foreign_id"] = storable(f"{label}:{key_text(pk)}")
        if target is not None and (reference := target(row)):
            activity["target"] = reference
        activity.pop("to", None)
        to = None if recipients is None else recipients(row)
        if to and not notify_self:
            to = others(to, owner)
        if is_private is not None and is_private(row):
            return for_recipients_only(activity, to)
        return addressed(activity, FeedID(slug, owner), to, context)

    return tell


def _optional(read: Callable[[Source, str], Reader], source: Source | None, name: str) -> Reader | None:
    return None if source is None else read(source, name)


def _verb(model: type[models.Model], verb: Source | None, reading: Reading) -> Reader:
    if callable(verb):
        read = reading.value(verb, "activity_verb")
        return lambda row: str(read(row) or "")
    fixed = model._meta.model_name if verb is None else verb
    return lambda row: fixed


def _flag(source: Source | bool, reading: Reading) -> Reader | None:
    if isinstance(source, bool):
        return (lambda row: True) if source else None
    return reading.value(source, "activity_to_only")


class _ByClass(dict[type[Any], Reader]):
    """Functions of values, each made when the first value of its class comes."""

    def __init__(self, make: Callable[[type[Any]], Reader]) -> None:
        self._make = make

    def __missing__(self, kind: type[Any]) -> Reader:
        self[kind] = made = self._make(kind)
        return made


class _Instances:
    """Rows as instances of their model."""

    def __init__(self) -> None:
        self._references, self._owners = _ByClass(references_of), _ByClass(_owners_of)

    def value(self, source: Source, name: str) -> Reader:
        return _named(source, name) if callable(source) else reader(source)

    def who(self, source: Source, name: str) -> Callable[[Any], tuple[str | None, OwnerID]]:
        read, references, owners = self.value(source, name), self._references, self._owners

        def who(row: Any) -> tuple[str | None, OwnerID]:
            found = read(row)
            return references[type(found)](found), owners[type(found)](found)

        return who

    def what(self, source: Source, name: str) -> Callable[[Any], str | None]:
        read, references = self.value(source, name), self._references

        def what(row: Any) -> str | None:
            found = read(row)
            reference: str | None = references[type(found)](found)
            return reference

        return what

    def recipients(self, source: Source) -> Callable[[Any], list[Any]]:
        read = reader(source)
        return _named(lambda row: without_clients(several(read(row), row)), "activity_notify")

    def key(self, row: Any) -> Any:
        if row.pk is None or row._state.adding:
            raise Unusual
        return row.pk


def _owners_of(kind: type[Any]) -> Reader:
    return owner_ids_of(kind) if issubclass(kind, models.Model) else _leave


def _named(read: Reader, name: str) -> Reader:
    """The same, with a note of the property's name on what it raises."""

    def named(row: Any) -> Any:
        try:
            return read(row)
        except Exception as error:
            add_origin(error, row, name)
            raise

    return named
