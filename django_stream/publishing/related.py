"""Rows that others watch: where one of them changes, those that refer to it are looked at again."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from typing import Any, NamedTuple

from django.apps import apps
from django.db import models, transaction
from django.db.models.signals import post_save, pre_save

from django_stream.database.batches import batched
from django_stream.database.querysets import all_rows
from django_stream.database.tables import is_elsewhere
from django_stream.publishing import outbox
from django_stream.publishing.publisher import Publisher, publisher_for

_CHUNK = 500


class Watch(NamedTuple):
    """Which rows look at those of a model, and at what."""

    publisher: Publisher
    path: str
    """Leads to the model as in a filter: `wishlist`, `wishlist__owner`."""
    columns: frozenset[str] | None
    """Names of fields and columns; None for all."""

    def concerns(self, changed: Collection[str]) -> bool:
        return self.columns is None or not self.columns.isdisjoint(changed)


_watches: dict[Any, dict[tuple[str, str, frozenset[str] | None], Watch]] = defaultdict(dict)
"""By the first table of the model that is watched: rows of its parents and children have the same key."""


def watch(publisher: Publisher, model: Any, path: str, columns: frozenset[str] | None) -> None:
    """Republish the rows of a publisher when the columns of rows that they refer to change."""
    end = _first_table(model)
    _watches[end][publisher.label, path, columns] = Watch(publisher, path, columns)
    for sender in apps.get_models():
        if _first_table(sender) is end:
            uid = f"django_stream.watched.{sender._meta.label}"
            pre_save.connect(_before_save, sender=sender, dispatch_uid=uid)
            post_save.connect(_after_save, sender=sender, dispatch_uid=uid)


def _first_table(model: Any) -> Any:
    """Of a row that has several, all with one key."""
    concrete = model._meta.concrete_model
    for parent, link in concrete._meta.parents.items():
        if link is not None and link.primary_key:
            return _first_table(parent)
    return concrete


def is_watched(model: type[models.Model], changed: Collection[str]) -> bool:
    """Whether rows of other models look at any of these columns."""
    return any(True for _ in _concerned(model, changed))


def note_referring(
    model: type[models.Model], pks: Iterable[Any], changed: Collection[str], using: str
) -> None:
    """Note all rows that refer to these and look at what changed."""
    pks = list(pks)
    for publisher, path, _ in _concerned(model, changed):
        if is_elsewhere(publisher.model, using):
            continue  # no query reaches both
        for part in batched(pks, _CHUNK):
            rows = all_rows(publisher.model, using).filter(**{f"{path}__pk__in": part})
            outbox.note(publisher.label, publisher.keys_where(rows.distinct()), using, bulk=True)


def _concerned(model: type[models.Model], changed: Collection[str]) -> Iterator[Watch]:
    for one in _watches[_first_table(model)].values():
        if one.concerns(changed) and publisher_for(one.publisher.label) is one.publisher:
            yield one


def _before_save(
    sender: type[models.Model],
    instance: models.Model,
    using: str,
    update_fields: Collection[str] | None = None,
    **_: Any,
) -> None:
    """Remember the row as it is in the table, locked where there is a transaction; this one may be stale."""
    written = _written(instance, update_fields)
    if instance.pk is None or outbox.is_paused() or not is_watched(sender, written):
        return
    looked_at = [field.attname for field in sender._meta.concrete_fields if is_watched(sender, _names(field))]
    rows = all_rows(sender, using).filter(pk=instance.pk).order_by()
    if transaction.get_connection(using).in_atomic_block:
        rows = rows.select_for_update()
    instance.__dict__["_stream_before"] = rows.values(*looked_at).first()


def _after_save(
    sender: type[models.Model],
    instance: models.Model,
    using: str,
    update_fields: Collection[str] | None = None,
    **_: Any,
) -> None:
    before = instance.__dict__.pop("_stream_before", None)
    if before is None:  # a new row, to which nobody refers
        return
    written = _written(instance, update_fields)
    changed = {
        name
        for field in sender._meta.concrete_fields
        if field.attname in before and before[field.attname] != instance.__dict__.get(field.attname)
        for name in _names(field)
        if name in written
    }
    if changed:
        note_referring(sender, [instance.pk], changed, using)


def _written(instance: models.Model, update_fields: Collection[str] | None) -> set[str]:
    fields = [field for field in instance._meta.concrete_fields if field.attname in instance.__dict__]
    return {
        name
        for field in fields
        if update_fields is None or not set(_names(field)).isdisjoint(update_fields)
        for name in _names(field)
    }


def _names(field: Any) -> tuple[str, str]:
    return field.name, field.attname
