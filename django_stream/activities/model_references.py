"""Model references: the text that stands for a row inside an activity.

Rows are `app_label.Model:pk`; mirrored users are `SU:id` and mirrored collection rows `SO:name:id`,
so that clients which know no models can show them too.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple

from django.apps import apps
from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import models
from django.utils import timezone

from django_stream.activities.ids import from_wire_id, pk_text, wire_id
from django_stream.activities.owners import owner_ids_by_key, parse_owner_id, refuse_unsaved, user_id_of

USERS = "SU"
"""The prefix of users, whether or not they are mirrored: the server names those of reactions so."""

_MAX_INTEGER = 2**63 - 1
_SHORT = 256
_PLAIN_KEYS: dict[Any, type] = {models.IntegerField.to_python: int, models.CharField.to_python: str}
"""Fields whose `to_python` leaves values of this type as they are."""
_prefix_of: dict[type[models.Model], str] = {}
_model_by_prefix: dict[str, type[models.Model]] = {}


class Reference(NamedTuple):
    """A row by its model and the text of its primary key."""

    model: type[models.Model]
    object_id: str


def refer_by_prefix(model: type[models.Model], prefix: str) -> None:
    """Let references to a mirrored model begin with `SU` or `SO:<collection>`."""
    _prefix_of[model] = prefix
    _model_by_prefix[prefix] = model
    _row_of.cache_clear()


def reference_of(instance: models.Model) -> str:
    """The reference of a row; ValueError when it was not saved yet."""
    object_id = object_id_of(instance)
    refuse_unsaved(instance)
    prefix = _prefix_of.get(concrete(instance.__class__))
    if prefix == USERS:
        return f"{prefix}:{user_id_of(instance)}"
    return f"{prefix}:{wire_id(object_id)}" if prefix else label_reference_of(instance)


def as_reference(value: Any) -> str | None:
    """What stands in an activity for a value: the reference of a row, and the text of anything else."""
    if value is None:
        return None
    return reference_of(value) if isinstance(value, models.Model) else str(value)


def label_reference_of(instance: models.Model) -> str:
    """`app_label.Model:pk`, also for mirrored rows: the foreign id of a row's activity."""
    return f"{concrete(instance.__class__)._meta.label}:{object_id_of(instance)}"


def concrete(model: type[models.Model]) -> type[models.Model]:
    """The model that a proxy stands for."""
    return model._meta.concrete_model or model


def object_id_of(instance: models.Model) -> str:
    """The primary key as text; a composite key becomes a JSON list."""
    pk = instance.pk
    if pk is None:
        raise ValueError(f"{instance._meta.label} has no primary key yet: save it before referring to it")
    return _key_text(instance._meta.pk_fields, pk)


def _key_text(fields: Sequence[Any], pk: Any) -> str:
    if len(fields) == 1:
        return pk_text(fields[0].to_python(pk))
    return pk_text(tuple(field.to_python(part) for field, part in zip(fields, pk, strict=True)))


def references_of(kind: type[Any]) -> Callable[[Any], str | None]:
    """What `as_reference` answers for values of one class, made once for many."""
    if not issubclass(kind, models.Model):
        return as_reference
    by_key = references_by_key(kind)

    def reference(row: models.Model) -> str | None:
        pk = row.pk
        return as_reference(row) if pk is None or row._state.adding else by_key(pk)

    return reference


def references_by_key(model: type[models.Model]) -> Callable[[Any], str]:
    """The same for the primary keys of rows that are in the database."""
    prefix, text = _prefix_of.get(concrete(model)), key_texts_of(model)
    if prefix == USERS:
        name = owner_ids_by_key(model)
        return lambda pk: f"{prefix}:{name(pk)}"
    if prefix:
        return lambda pk: f"{prefix}:{wire_id(text(pk))}"
    label = concrete(model)._meta.label
    return lambda pk: f"{label}:{text(pk)}"


def key_texts_of(model: type[models.Model]) -> Callable[[Any], str]:
    """What `object_id_of` answers, for primary keys that are not None."""
    fields = model._meta.pk_fields
    plain = _PLAIN_KEYS.get(type(fields[0]).to_python) if len(fields) == 1 else None
    return lambda pk: str(pk) if type(pk) is plain else _key_text(fields, pk)


def parse_reference(value: object) -> Reference | None:
    """Read a reference, or None for any other value: text with a colon is not yet a reference."""
    if not isinstance(value, str):
        return None
    prefix, _, wire = value.rpartition(":")
    if prefix == USERS and wire:
        return _user_of(wire)
    # Anybody may write a long text into an activity: only short ones are remembered.
    return _row_of(value) if len(value) < _SHORT else _row_of.__wrapped__(value)


@lru_cache(maxsize=8192)
def _row_of(value: str) -> Reference | None:
    prefix, _, wire = value.rpartition(":")
    mirrored = _model_by_prefix.get(prefix)
    if mirrored is not None and wire:
        return Reference(mirrored, from_wire_id(wire))
    label, colon, object_id = value.partition(":")
    model = _model_of(label) if colon and object_id else None
    return Reference(model, object_id) if model else None


def _user_of(user_id: str) -> Reference | None:
    """A user of the API: a row of the user model, or of another one that is mirrored as users."""
    owner = parse_owner_id(user_id)
    if owner is None:
        return Reference(concrete(get_user_model()), from_wire_id(user_id))
    return Reference(*owner) if _prefix_of.get(owner.model) == USERS else None


@lru_cache(maxsize=1024)
def _model_of(label: str) -> type[models.Model] | None:
    if label.count(".") != 1:
        return None
    try:
        return apps.get_model(label)
    except (LookupError, ValueError):
        return None


def clean_pk(model: type[models.Model], object_id: str) -> Any:
    """The primary key as the model's own type, or None when the text cannot be one."""
    fields = model._meta.pk_fields
    if _is_small_number(object_id) and type(fields[0]).to_python is models.IntegerField.to_python:
        return int(object_id) if len(fields) == 1 else None
    try:
        parts = [object_id] if len(fields) == 1 else json.loads(object_id)
        if not isinstance(parts, list) or len(parts) != len(fields):
            return None
        values = tuple(_value(field, part) for field, part in zip(fields, parts, strict=True))
        object_id.encode()
    except Exception:  # each kind of field refuses by an error of its own
        return None
    if "\0" in object_id:
        return None
    return values[0] if len(fields) == 1 else values


def _value(field: Any, part: Any) -> Any:
    """A part of a key as its field's type; ValueError or ValidationError for what no database can look up."""
    value = field.to_python(part)
    # Longer texts than these may be there, where a database does not count.
    if not isinstance(field, models.CharField | models.TextField):
        for validate in _validators_of_databases(field):
            validate(value)
    number = value // timedelta(microseconds=1) if isinstance(value, timedelta) else value
    if isinstance(number, int) and abs(number) > _MAX_INTEGER:
        raise ValueError(f"{value!r} is more than databases count to")
    if isinstance(number, float) and not math.isfinite(number):
        raise ValueError(f"{value!r} is no number of MariaDB, and NaN not even equal to itself")
    if isinstance(value, datetime) and settings.USE_TZ:
        if timezone.is_naive(value):
            raise ValueError(f"{value!r} is in no time zone")
        value.astimezone(UTC)  # OverflowError at both ends of time
    return value


@lru_cache
def _validators_of_databases(field: Any) -> list[Callable[[Any], object]]:
    """A field's validators but for the project's own: those are for forms, and rows may be there anyway."""
    own = field.deconstruct()[3].get("validators", ())
    return [one for one in field.validators if one not in own]


def _is_small_number(text: str) -> bool:
    return text.isdecimal() and text.isascii() and len(text) < len(str(_MAX_INTEGER))
