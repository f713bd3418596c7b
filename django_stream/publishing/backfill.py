"""Publishing whole tables again: in primary-key order, in bounded memory, resumable."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from django.db import models, router

from django_stream.database.querysets import all_rows, write_database
from django_stream.publishing import outbox
from django_stream.publishing.models import Publication
from django_stream.publishing.publisher import Publisher, publishers_of

_CHUNK = 2000


Rows = models.QuerySet[Any] | models.Manager[Any] | models.Model | Iterable[models.Model]


def republish(rows: Rows) -> int:
    """Publish rows again after a change that sent no signal; returns how many were put into the outbox.

    For SQL by hand, and for bulk operations of managers that are not tracked. `rows` is a queryset, a
    manager, a row or several; TypeError for anything else. The answer is 0 when their model is not
    tracked, or inside `activities_paused()`; ImproperlyConfigured where the settings disable all tracking.
    """
    outbox.refuse_while_disabled()
    if isinstance(rows, models.Manager | models.QuerySet):
        # A replica, from which a router lets it be read, may not have the change yet and takes no entries.
        rows = rows.all()
        using = write_database(rows)
        return max((note_rows(one, rows, using) for one in publishers_of(rows.model)), default=0)
    return sum(map(_note_row, _instances(rows)))


def _instances(rows: object) -> list[models.Model]:
    found = [rows] if isinstance(rows, models.Model) else rows
    if isinstance(found, type) or not isinstance(found, Iterable):
        what = f": {found.__name__}.objects.all() are all of them" if isinstance(found, type) else ""
        raise TypeError(f"republish() takes a queryset, a row or a list of rows, and not {rows!r}{what}")
    found = list(found)
    if wrong := [one for one in found if not isinstance(one, models.Model)]:
        raise TypeError(
            f"republish() takes rows, and not {wrong[0]!r}: give a queryset, such as filter(pk__in=…)"
        )
    if unsaved := [one for one in found if one.pk is None]:
        raise ValueError(f"{unsaved[0]!r} has no primary key: save it, which publishes it")
    return found


def _note_row(row: models.Model) -> int:
    model = row.__class__  # of request.user, which is a lazy object, `type` is another
    using = router.db_for_write(model, instance=row)
    counts = (
        outbox.note(one.label, one.keys_of(row), using, bulk=True, asked=True) for one in publishers_of(model)
    )
    return int(max(counts, default=0) > 0)


def note_rows(publisher: Publisher, rows: models.QuerySet[Any], using: str, *, force: bool = False) -> int:
    """Note every row of a queryset in the outbox; returns how many entries were written."""
    return outbox.note(publisher.label, publisher.keys_where(rows), using, bulk=True, asked=True, force=force)


def note_all(publisher: Publisher, using: str, *, force: bool = False) -> Iterator[int]:
    """Note a whole table, and what the ledger knows of rows that are gone; yields counts of entries."""
    table = all_rows(publisher.model, using).order_by("pk")
    for pks in _in_steps(table):
        yield note_rows(publisher, table.filter(pk__in=pks), using, force=force)
    yield from note_gone(publisher, using)


def note_gone(publisher: Publisher, using: str) -> Iterator[int]:
    """Note what the ledger knows of rows that are gone; yields counts of entries."""
    ledger = Publication.objects.using(using).filter(model_label=publisher.label).order_by("pk")
    for pks in _in_steps(ledger):
        keys = set(ledger.filter(pk__in=pks).values_list("object_key", flat=True))
        gone = sorted(keys.difference(publisher.there(keys, using)))
        yield outbox.note(publisher.label, gone, using, bulk=True, asked=True)


def _in_steps(table: models.QuerySet[Any]) -> Iterator[list[Any]]:
    """Primary keys in order, a chunk at a time."""
    last = None
    while pks := list(
        (table if last is None else table.filter(pk__gt=last)).values_list("pk", flat=True)[:_CHUNK]
    ):
        yield pks
        last = pks[-1]
