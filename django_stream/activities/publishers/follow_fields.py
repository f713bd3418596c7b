"""Follows that are no rows with a mixin: entries of a many-to-many field, or rows of others' models."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import models
from django.db.models.signals import m2m_changed, pre_delete, pre_save

from django_stream.activities.ids import json_key
from django_stream.activities.publishers.follows import FollowDeclaration, FollowPublisher
from django_stream.database.querysets import all_rows
from django_stream.publishing import outbox
from django_stream.publishing.capture import is_captured
from django_stream.publishing.receivers import track, track_end

_AFTER = {"post_add", "post_remove"}


def follows_by(field: models.ManyToManyField[Any, Any], feed: str | None) -> FollowPublisher:
    """A publisher of the field's own table: the field's model follows what it points to."""
    declaration = FollowDeclaration(field.m2m_field_name(), field.m2m_reverse_field_name(), feed)
    through = field.remote_field.through
    assert through is not None
    return FollowPublisher(through, declaration)


def track_rows(publisher: FollowPublisher, *, raw_only: bool = False) -> None:
    """Remember the pair that a row has in the table, before it is saved or deleted, as `FollowMixin` does.

    Outside of a transaction nothing can be locked: of two that change the ends of one row at the same
    moment, the pair in between may stay. Rows that a deserialiser saves pass by the `save()` of the mixin:
    `raw_only` is for these.
    """

    def remember(instance: Any, using: str, raw: bool = False, origin: Any = None, **_: Any) -> None:
        # Rows of a cascade or a queryset were read by Django just now.
        if (raw_only and not raw) or is_captured(publisher.label, using):
            return
        if (origin is None or origin is instance) and instance.pk is not None:
            publisher.remember_pair(instance, using)

    for signal in (pre_save, pre_delete):
        uid = f"django_stream.follows.{publisher.label}"
        signal.connect(remember, sender=publisher.model, weak=False, dispatch_uid=uid)


def track_pairs(publisher: FollowPublisher, field: models.ManyToManyField[Any, Any]) -> None:
    """Note the pairs that come and go by the field, or with either end of it."""
    track(publisher)
    for end in (field.m2m_field_name(), field.m2m_reverse_field_name()):
        track_end(publisher, end)

    def changed(
        instance: models.Model, action: str, reverse: bool, pk_set: set[Any] | None, using: str, **_: Any
    ) -> None:
        if action in _AFTER:
            keys = _keys(instance.pk, pk_set or (), reverse, both=field.remote_field.symmetrical)
            outbox.note(publisher.label, keys, using)
        elif action == "pre_clear":
            names = (field.m2m_field_name(), field.m2m_reverse_field_name())
            ends = names if field.remote_field.symmetrical else names[reverse : reverse + 1]
            rows = all_rows(publisher.model, using)
            for end in ends:
                outbox.note(publisher.label, publisher.keys_where(rows.filter(**{end: instance.pk})), using)

    uid = f"django_stream.follows.{publisher.label}"
    m2m_changed.connect(changed, sender=publisher.model, weak=False, dispatch_uid=uid)


def _keys(pk: Any, others: Iterable[Any], reverse: bool, *, both: bool) -> list[str]:
    pairs = [(other, pk) if reverse else (pk, other) for other in others]
    return sorted({json_key(pair) for pair in (*pairs, *((b, a) for a, b in pairs if both))})
