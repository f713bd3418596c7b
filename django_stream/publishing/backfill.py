"""Publishing whole tables again: in primary-key order, in bounded memory, resumable."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db import models

from django_stream.database.querysets import all_rows, write_database
from django_stream.publishing import outbox
from django_stream.publishing.models import Publication
from django_stream.publishing.publisher import Publisher, publishers_of

_CHUNK = 2000


def republish(rows: models.QuerySet[Any]) -> int:
    """Publish rows again after a change that sent no signal; returns how many were put into the outbox.

    For SQL by hand, and for bulk operations of managers that are not tracked. `rows` is a queryset; the
    answer is 0 when its model is not tracked, or inside `activities_paused()`.
    """
    # A replica, from which a router lets it be read, may not have the change yet and takes no entries.
    rows = rows.all()
    using = write_database(rows)
    return max((note_rows(one, rows, using) for one in publishers_of(rows.model)), default=0)


def note_rows(publisher: Publisher, rows: models.QuerySet[Any], using: str, *, force: bool = False) -> int:
    """Note every row of a queryset in the outbox; returns how many entries were written."""
    return outbox.note(publisher.label, publisher.keys_where(rows), using, bulk=True, force=force)


def note_all(publisher: Publisher, using: str, *, force: bool = False) -> Iterator[int]:
    """Note a whole table, and what the ledger knows of rows that are gone; yields counts of entries."""
    table = all_rows(publisher.model, using).order_by("pk")
    for pks in _in_steps(table):
        yield note_rows(publisher, table.filter(pk__in=pks), using, force=force)
    ledger = Publication.objects.using(using).filter(model_label=publisher.label).order_by("pk")
    for pks in _in_steps(ledger):
        keys = set(ledger.filter(pk__in=pks).values_list("object_key", flat=True))
        gone = sorted(keys - publisher.desired(keys, using).keys())
        yield outbox.note(publisher.label, gone, using, bulk=True)


def _in_steps(table: models.QuerySet[Any]) -> Iterator[list[Any]]:
    """Primary keys in order, a chunk at a time."""
    last = None
    while pks := list(
        (table if last is None else table.filter(pk__gt=last)).values_list("pk", flat=True)[:_CHUNK]
    ):
        yield pks
        last = pks[-1]
