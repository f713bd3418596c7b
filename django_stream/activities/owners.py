"""Whose feed it is: the name of a row in feed ids, which no other row has.

Rows of the user model are named by their key alone, as other clients expect: `timeline:1`. Rows of every
other model have the model's name before it: `timeline:shop-product-1`. A row of several tables (multi-table
inheritance) is one owner, named by its first table. A model may name its rows itself by a property `feed_id`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import cache, cached_property, lru_cache
from typing import Any, NamedTuple

from django.apps import apps
from django.contrib.auth import get_user_model
from django.db import DatabaseError, InterfaceError, models

from django_stream.activities.ids import encoded, from_wire_id, pk_text
from django_stream.protocol.feed_ids import FeedID, validate_user_id

_SEPARATOR = "-"


class OwnerID(str):
    """An owner's part of its feed ids, as `owner_id` has made it; a plain text is the key of a user."""

    __slots__ = ()


class Owner(NamedTuple):
    """A row by its model and the text of its primary key."""

    model: type[models.Model]
    object_id: str


def feed_id(slug: str, owner: Any) -> FeedID:
    """The feed of a group that belongs to an owner: see `owner_id`."""
    return FeedID(slug, owner_id(owner))


def owner_id(owner: Any) -> OwnerID:
    """The owner's part of its feed ids: of an instance, or of what is not one the key of a user.

    ValueError for a row that was not saved, and for a `feed_id` that might be another owner's.
    """
    if isinstance(owner, OwnerID):
        return owner
    key = getattr(owner, "pk", owner)
    if key is None:
        raise ValueError(f"{owner!r} has no primary key, and so no feed: save it, or sign the user in, first")
    if isinstance(owner, models.Model):
        refuse_unsaved(owner)
    else:
        text = pk_text(key)
        # The name of an owner of another model, written out, stands for that owner.
        return OwnerID(text if parse_owner_id(text) is not None else encoded(text))
    # Of `request.user`, which is a lazy object, this is the model and `type` is not.
    model = owner.__class__
    if names_itself(model):
        return _own_name(owner)
    return user_id_of(owner)


def refuse_unsaved(row: models.Model) -> None:
    """ValueError for a new row that has a key already, as those with UUIDs have, and was never saved.

    Without such a default, an instance that was made by hand may stand for the row that has its key.
    """
    key = owner_model(row.__class__)._meta.pk
    if row._state.adding and key.has_default():
        raise ValueError(f"{row!r} was not saved, and nobody would find it: call save() first")


def user_id_of(row: models.Model) -> OwnerID:
    """How a row is named as a user of the API: by model and key, whatever `feed_id` says."""
    model = row.__class__
    key = owner_model(model)._meta.pk
    return owner_id_of(model, row.pk if key.attname is None else getattr(row, key.attname))


def owner_id_of(model: type[models.Model], pk: Any) -> OwnerID:
    """The same of a row of which only the key is known. The model must not name its rows itself."""
    first, text = owner_model(model), pk_text(pk)
    if not is_user_model(first):
        parts = (first._meta.app_label, str(first._meta.model_name), encoded(text))
        return OwnerID(_SEPARATOR.join(parts))
    # A user whose key looks like the name of another owner must not be taken for that.
    return OwnerID(encoded(text, always=_model_named(text) is not None))


def owner_ids_of(model: type[models.Model]) -> Callable[[Any], OwnerID]:
    """What `owner_id` answers for rows of one class, made once for many."""
    attname = owner_model(model)._meta.pk.attname
    if names_itself(model) or attname is None:
        return owner_id
    by_key = owner_ids_by_key(model)

    def name(row: models.Model) -> OwnerID:
        return owner_id(row) if row.pk is None or row._state.adding else by_key(getattr(row, attname))

    return name


def owner_ids_by_key(model: type[models.Model]) -> Callable[[Any], OwnerID]:
    """What `owner_id_of` answers, likewise."""
    first = owner_model(model)
    prefix = "" if is_user_model(first) else f"{first._meta.app_label}-{first._meta.model_name}-"
    # A number needs no code, and looks like no other owner's name.
    return lambda pk: OwnerID(f"{prefix}{pk}") if type(pk) is int else owner_id_of(model, pk)


def parse_owner_id(text: str) -> Owner | None:
    """The row of a model other than the user model that an owner's name stands for; None for all else."""
    model = _model_named(text)
    return Owner(model, from_wire_id(text.split(_SEPARATOR, 2)[2])) if model else None


@cache
def owner_model(model: type[models.Model]) -> type[models.Model]:
    """The first table of a row that has several: proxies and children share the feeds of their parent."""
    concrete = model._meta.concrete_model or model
    for parent, link in concrete._meta.parents.items():
        # A child with a key of its own is found by that, and not by its parent's.
        if link is not None and link.primary_key:
            return owner_model(parent)
    return concrete


def is_user_model(model: type[models.Model]) -> bool:
    """Whether rows of the model are the site's users."""
    users: type[models.Model] = get_user_model()
    return owner_model(model) is owner_model(users)


@cache
def names_itself(model: type[models.Model]) -> bool:
    """Whether a property `feed_id` names the rows: the column of a key called `feed` does not."""
    return isinstance(inspect.getattr_static(model, "feed_id", None), property | cached_property)


def may_be_user(key: Any) -> bool:
    """Whether a value can be the key of a user, or is the name of an owner."""
    if isinstance(key, OwnerID) or parse_owner_id(text := pk_text(key)) is not None:
        return True
    return _is_key_of(get_user_model()._meta.pk, from_wire_id(text))


def _own_name(owner: models.Model) -> OwnerID:
    try:
        told = owner.feed_id  # type: ignore[attr-defined]
        if told is None:  # as text it would be one name for all of them
            raise ValueError(f"{owner._meta.label}.feed_id is None, which is no name")
        name = validate_user_id(told)
    except Exception as error:
        if isinstance(error, ValueError | DatabaseError | InterfaceError):
            raise
        raise ValueError(f"{owner._meta.label}.feed_id raised {error!r}") from error
    users = get_user_model()._meta.pk
    may_be_a_user = not is_user_model(owner.__class__) and _is_key_of(users, name)
    if may_be_a_user or parse_owner_id(name) is not None:
        raise ValueError(
            f"{owner._meta.label}.feed_id is {name!r}, which is the name of another owner's feeds: "
            f"begin it with a word of its own, such as '{owner._meta.model_name}_{name}'"
        )
    return OwnerID(name)


def _is_key_of(field: Any, text: str) -> bool:
    try:
        return pk_text(field.to_python(text)) == text
    except Exception:  # each kind of field refuses by an error of its own
        return False


@lru_cache(maxsize=4096)
def _model_named(text: str) -> type[models.Model] | None:
    """The model before the key of an owner's name."""
    app_label, *rest = text.split(_SEPARATOR, 2)
    if len(rest) < 2 or not rest[1]:
        return None
    try:
        model: type[models.Model] = apps.get_model(app_label, rest[0])
    except LookupError:
        return None
    spelt = (model._meta.app_label, model._meta.model_name) == (app_label, rest[0])
    return model if spelt and owner_model(model) is model and not is_user_model(model) else None
