"""Signal receivers: a saved or deleted row of a tracked model becomes an outbox entry."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from typing import Any
from weakref import WeakKeyDictionary

from django.apps import apps
from django.db import models
from django.db.models.signals import m2m_changed, post_delete, post_save, pre_delete, pre_save

from django_stream.database.batches import batched
from django_stream.database.querysets import all_rows
from django_stream.publishing import outbox
from django_stream.publishing.capture import is_captured
from django_stream.publishing.publisher import Publisher, publisher_for, publishers_of, register_publisher

# With CASCADE, Django deletes the referring rows one by one; the others delete nothing.
_TOLD_BY_SIGNALS: set[Any] = {models.CASCADE, models.PROTECT, models.RESTRICT}

_CHUNK = 500
# From Django 6.1 on, a database may delete rows itself, and no signal is sent for them.
_DB_CASCADE: Any = getattr(models, "DB_CASCADE", object())
# Keys that lead round in a circle end somewhere.
_MOST_STEPS = 8

_pointing_to: dict[Any, dict[tuple[str, str], Publisher]] = defaultdict(dict)
"""By concrete model: the publishers whose rows refer to its rows, by their label and the field that does."""


def track(publisher: Publisher) -> None:
    """Publish the rows of a model from now on."""
    register_publisher(publisher)
    listen_to(publisher.model)
    for field in publisher.model._meta.concrete_fields:
        deletion = getattr(field.remote_field, "on_delete", models.CASCADE)
        matters = deletion is _DB_CASCADE or publisher.matters({field.name, field.attname})
        if deletion not in _TOLD_BY_SIGNALS and matters:
            _track_ends(publisher, field, field.name)


def track_watched(publisher: Publisher, model: Any, path: str, columns: Collection[str] | None) -> None:
    """The same of watched columns of related rows, which go when what they refer to is deleted."""
    for field in model._meta.concrete_fields:
        deletion = getattr(field.remote_field, "on_delete", models.CASCADE)
        matters = columns is None or not {field.name, field.attname}.isdisjoint(columns)
        if deletion not in _TOLD_BY_SIGNALS and matters:
            _track_ends(publisher, field, f"{path}__{field.name}")


def _track_ends(publisher: Publisher, field: Any, path: str) -> None:
    """The end of a key, and what the database deletes it with, step by step."""
    _track_end_of(publisher, field.related_model, path)
    for further in field.related_model._meta.concrete_fields:
        deletion = getattr(further.remote_field, "on_delete", None)
        if deletion is _DB_CASCADE and path.count("__") < _MOST_STEPS:
            _track_ends(publisher, further, f"{path}__{further.name}")


def listen_to(model: type[models.Model]) -> None:
    """Receive the signals of a model; those of a proxy are its own."""
    post_save.connect(_saved, sender=model, dispatch_uid=f"django_stream.saved.{model._meta.label}")
    if model._meta.all_parents:
        pre_save.connect(_before_save, sender=model, dispatch_uid=f"django_stream.before.{model._meta.label}")
    post_delete.connect(_deleted, sender=model, dispatch_uid=f"django_stream.deleted.{model._meta.label}")


def track_end(publisher: Publisher, field_name: str) -> None:
    """Note the rows whose reference is cleared when its target is deleted, which sends no signal for them."""
    field: Any = publisher.model._meta.get_field(field_name)
    _track_end_of(publisher, field.related_model, field_name)


def _track_end_of(publisher: Publisher, model: Any, path: str) -> None:
    """`path` leads to the model as in a filter: `article`, `article__magazine`."""
    end = model._meta.concrete_model
    _pointing_to[end][publisher.label, path] = publisher
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


def _before_save(instance: Any, **_: Any) -> None:
    """Without a key, the row of the parent's table is made with the child's, and was not published."""
    if instance.pk is None:
        instance._stream_parent_is_new = True  # noqa: SLF001


def _saved(
    sender: type[models.Model],
    instance: models.Model,
    using: str,
    created: bool,
    raw: bool,
    update_fields: Collection[str] | None,
    **_: Any,
) -> None:
    # Deserialised rows (raw) come in any order, and the drain looks at them when all are committed.
    for publisher in publishers_of(sender):
        if update_fields is None or publisher.matters(update_fields):
            outbox.note(publisher.label, publisher.keys_of(instance), using)
    if raw or (created and not instance.__dict__.pop("_stream_parent_is_new", False)):
        _note_parents(sender, instance, using)


def _deleted(sender: type[models.Model], instance: models.Model, using: str, **_: Any) -> None:
    for publisher in publishers_of(sender):
        outbox.note(publisher.label, publisher.keys_of(instance), using)
    _note_parents(sender, instance, using)


def _note_parents(sender: type[models.Model], instance: models.Model, using: str) -> None:
    """Rows of parent tables are published as the child while there is one, and as themselves otherwise."""
    for parent in sender._meta.all_parents:
        for publisher in publishers_of(parent):
            if publisher.model is parent:
                values = {field.attname: getattr(instance, field.attname) for field in publisher.key_fields}
                row = parent(**values)
                outbox.note(publisher.label, publisher.keys_of(row), using)


def _before_delete(
    sender: type[models.Model], instance: models.Model, using: str, origin: Any = None, **_: Any
) -> None:
    if outbox.is_paused():
        return
    pointing = _pointing_here(sender, using)
    if not pointing:
        return
    seen = _seen.setdefault(origin, {}) if isinstance(origin, models.QuerySet) else {}
    noted = seen.setdefault(sender, set())
    if instance.pk not in noted:
        with outbox.one_transaction(using):
            noted |= _note_ends(pointing, _together(sender, instance, using, origin), using)
    noted.discard(instance.pk)  # the same queryset may delete once more


_seen: WeakKeyDictionary[models.QuerySet[Any], dict[type[models.Model], set[Any]]] = WeakKeyDictionary()
"""By the querysets that are being deleted: the rows of each model whose turn comes, and that are noted."""


def _together(
    sender: type[models.Model], instance: models.Model, using: str, origin: Any
) -> models.QuerySet[Any]:
    """The row, or all of those that Django deletes one by one on behalf of a queryset."""
    which = models.Q(pk=instance.pk)
    if isinstance(origin, models.QuerySet) and _concrete(origin.model) is _concrete(sender):
        which |= models.Q(pk__in=origin.using(using).order_by().values("pk"))
    return all_rows(sender, using).filter(which)


def _concrete(model: type[models.Model]) -> Any:
    return model._meta.concrete_model


def _pointing_here(sender: type[models.Model], using: str) -> dict[tuple[str, str], Publisher]:
    """Those whose rows refer to rows of this model, and are not noted by the database."""
    pointing = _pointing_to[_concrete(sender)]
    return {
        place: one
        for place, one in pointing.items()
        if publisher_for(one.label) is not None and not is_captured(one.label, using)
    }


def _note_ends(
    pointing: dict[tuple[str, str], Publisher], rows: models.QuerySet[Any], using: str
) -> set[Any]:
    """Note whatever refers to these rows, in a few statements; returns their keys."""
    # Locked, so that nobody begins to refer to them before the transaction ends.
    pks = list(rows.order_by("pk").select_for_update().values_list("pk", flat=True))
    for (label, field_name), publisher in pointing.items():
        for part in batched(pks, _CHUNK):
            referring = all_rows(publisher.model, using).filter(**{f"{field_name}__pk__in": part})
            outbox.note(label, publisher.keys_where(referring.distinct()), using, bulk=True)
    return set(pks)
