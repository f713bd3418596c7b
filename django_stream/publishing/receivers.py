"""Signal receivers: a saved or deleted row of a tracked model becomes an outbox entry."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from typing import Any

from django.apps import apps
from django.db import models
from django.db.models.signals import m2m_changed, post_delete, post_save, pre_delete

from django_stream.database.querysets import all_rows
from django_stream.publishing import outbox
from django_stream.publishing.publisher import Publisher, publishers_of, register_publisher

# With CASCADE, Django deletes the referring rows one by one; the others delete nothing.
_TOLD_BY_SIGNALS: set[Any] = {models.CASCADE, models.PROTECT, models.RESTRICT}

_pointing_to: dict[Any, dict[tuple[str, str], Publisher]] = defaultdict(dict)
"""By concrete model: the publishers whose rows refer to its rows, by their label and the field that does."""


def track(publisher: Publisher) -> None:
    """Publish the rows of a model from now on."""
    register_publisher(publisher)
    listen_to(publisher.model)
    for field in publisher.model._meta.concrete_fields:
        deletion = getattr(field.remote_field, "on_delete", models.CASCADE)
        if deletion not in _TOLD_BY_SIGNALS and publisher.matters({field.name, field.attname}):
            track_end(publisher, field.name)


def listen_to(model: type[models.Model]) -> None:
    """Receive the signals of a model; those of a proxy are its own."""
    post_save.connect(_saved, sender=model, dispatch_uid=f"django_stream.saved.{model._meta.label}")
    post_delete.connect(_deleted, sender=model, dispatch_uid=f"django_stream.deleted.{model._meta.label}")


def track_end(publisher: Publisher, field_name: str) -> None:
    """Note the rows whose reference is cleared when its target is deleted, which sends no signal for them."""
    field: Any = publisher.model._meta.get_field(field_name)
    end = field.related_model._meta.concrete_model
    _pointing_to[end][publisher.label, field_name] = publisher
    for model in apps.get_models():
        if model._meta.concrete_model is end:
            uid = f"django_stream.end.{model._meta.label}"
            pre_delete.connect(_before_delete, sender=model, dispatch_uid=uid)


def track_relation(publisher: Publisher, field: models.ManyToManyField[Any, Any]) -> None:
    """Changes of a many-to-many relation, made from either end, republish the rows of this model."""

    def changed(
        instance: models.Model, action: str, reverse: bool, pk_set: set[Any] | None, using: str, **_: Any
    ) -> None:
        if not reverse and action in {"post_add", "post_remove", "post_clear"}:
            outbox.note(publisher.label, publisher.keys_of(instance), using)
        elif reverse and action in {"post_add", "post_remove", "pre_clear"}:
            rows = all_rows(publisher.model, using)
            rows = rows.filter(**{field.name: instance.pk} if pk_set is None else {"pk__in": pk_set})
            outbox.note(publisher.label, publisher.keys_where(rows), using)

    through = field.remote_field.through
    uid = f"django_stream.m2m.{publisher.label}.{field.name}"
    m2m_changed.connect(changed, sender=through, weak=False, dispatch_uid=uid)
    track_end(publisher, field.name)


def _saved(
    sender: type[models.Model],
    instance: models.Model,
    using: str,
    raw: bool,
    update_fields: Collection[str] | None,
    **_: Any,
) -> None:
    # Fixtures are loaded in any order; stream_backfill publishes them once all rows are there.
    if raw:
        return
    for publisher in publishers_of(sender):
        if update_fields is None or publisher.matters(update_fields):
            outbox.note(publisher.label, publisher.keys_of(instance), using)


def _deleted(sender: type[models.Model], instance: models.Model, using: str, **_: Any) -> None:
    for publisher in publishers_of(sender):
        outbox.note(publisher.label, publisher.keys_of(instance), using)


def _before_delete(sender: type[models.Model], instance: models.Model, using: str, **_: Any) -> None:
    if outbox.is_paused():
        return
    with outbox.one_transaction(using):
        # Locked, so that nobody begins to refer to this row before the transaction ends.
        list(all_rows(sender, using).filter(pk=instance.pk).select_for_update().values_list("pk"))
        for (label, field_name), publisher in _pointing_to[sender._meta.concrete_model].items():
            rows = all_rows(publisher.model, using).filter(**{field_name: instance})
            outbox.note(label, publisher.keys_where(rows), using, bulk=True)
