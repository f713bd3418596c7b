"""Changes that the database itself notes: by triggers on the tables of publishers that ask for it."""

from __future__ import annotations

from typing import Any

from django.core.signals import setting_changed
from django.db import connections, router

from django_stream.conf import stream_settings
from django_stream.database.tables import has_table
from django_stream.database.triggers import installing
from django_stream.database.triggers.installing import Difference
from django_stream.database.triggers.noting import Note, NotedTable
from django_stream.publishing.models import OutboxEntry
from django_stream.publishing.publisher import Publisher, publisher_for, publishers

CHANNEL = "django_stream_outbox"
"""The channel of PostgreSQL on which transactions that changed captured rows are told."""

CLOCK_SKEW_SECONDS = 60.0

_noted_by_database: set[tuple[str, str, str]] = set()
"""Labels whose triggers were seen: by database, schema (of a tenant) and label."""


def wants_capture(publisher: Publisher) -> bool:
    """Whether a publisher's changes are to be noted by the database."""
    return (publisher.capture or stream_settings.CAPTURE) == "database"


def is_captured(label: str, using: str) -> bool:
    """Whether the triggers of a publisher are there, so that nobody else need note its changes.

    Once seen, they are taken to stay: restart the processes of a site after removing triggers.
    """
    publisher = publisher_for(label)
    if publisher is None or not wants_capture(publisher):
        return False
    seen = (using, getattr(connections[using], "schema_name", ""), label)
    if seen not in _noted_by_database and _complete(publisher, using):
        _noted_by_database.add(seen)
    return seen in _noted_by_database


def forget_seen(**_: Any) -> None:
    """Look at the catalogue again."""
    _noted_by_database.clear()


def differences(using: str) -> Difference:
    """The triggers that are missing, stale or surplus in a database."""
    return installing.difference(tables(using), using)


def reconcile(using: str) -> Difference:
    """Create, replace and drop triggers, so that they are as declared; what was done."""
    found = differences(using)
    installing.apply(found, using)
    forget_seen()
    return found


def remove(using: str) -> Difference:
    """Drop all triggers of ours."""
    found = installing.difference([], using)
    installing.apply(found, using)
    forget_seen()
    return found


def is_possible(using: str) -> bool:
    """Whether a database has triggers, and our tables to which they could write."""
    return installing.supports_triggers(using) and has_table(OutboxEntry, using)


def _complete(publisher: Publisher, using: str) -> bool:
    if not installing.supports_triggers(using):
        return False
    names = installing.names_of(_tables_of(publisher, using), using)
    return bool(names) and names <= installing.installed_names(using)


def tables(using: str) -> list[tuple[NotedTable, Note]]:
    """The tables that are to have triggers, and what these write; without those that are not there yet."""
    wanted = [
        table
        for publisher in publishers()
        if wants_capture(publisher) and router.allow_migrate_model(using, publisher.model)
        for table in _tables_of(publisher, using)
    ]
    there = set(connections[using].introspection.table_names()) if wanted else set()
    # A name with quotes inside is one of another schema, which the introspection does not list.
    return [(noted, note) for noted, note in wanted if noted.table in there or '"' in noted.table]


def _tables_of(publisher: Publisher, using: str) -> list[tuple[NotedTable, Note]]:
    note = _note(publisher.label)
    return [(noted, note) for noted in publisher.noted_tables(using)]


def _note(label: str) -> Note:
    fields = OutboxEntry._meta
    columns = {field.name: str(field.column) for field in fields.concrete_fields}
    window = stream_settings.OUTBOX_WINDOW_SECONDS
    return Note(
        table=OutboxEntry._meta.db_table,
        key=columns["object_key"],
        longest=fields.get_field("object_key").max_length or 0,
        several=columns["bulk"],
        channel=CHANNEL,
        constants={
            columns["model_label"]: label,
            columns["attempts"]: 0,
            columns["reason"]: "",
        },
        # Due at once, also for hosts whose clocks are behind.
        times={
            columns["created_at"]: 0.0,
            columns["due_at"]: window or -CLOCK_SKEW_SECONDS,
        },
    )


setting_changed.connect(forget_seen, dispatch_uid="django_stream.capture")
