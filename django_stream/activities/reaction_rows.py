"""The site's own rows that are reactions, read and written for it by the JSON API."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.db import models, router, transaction

from django_stream.activities.model_references import Reference, concrete, object_id_of
from django_stream.activities.publishers.reactions import ReactionPublisher
from django_stream.publishing.publisher import publishers


def reactions_of_kind(kind: str, model: type[models.Model]) -> ReactionPublisher | None:
    """What publishes the rows that are reactions of a kind to rows of a model."""
    for one in publishers():
        if isinstance(one, ReactionPublisher) and one.reaction_kind == kind and one.reacts_to(model):
            return one
    return None


def writable_fields(publisher: ReactionPublisher) -> tuple[str, ...]:
    """The names of `fields` that are plain columns; a model without any is switched on and off."""
    found = [name for name in publisher.declaration.fields if isinstance(name, str) and "." not in name]
    columns: dict[str, Any] = {field.name: field for field in publisher.model._meta.concrete_fields}
    return tuple(
        name
        for name in found
        if (column := columns.get(name)) is not None
        and column.editable
        and not (column.is_relation or isinstance(column, models.FileField))
    )


def own_reactions(publisher: ReactionPublisher, user: Any, row: models.Model) -> models.QuerySet[Any]:
    """The rows by which a user reacts to a row; ImproperlyConfigured where no query tells whose rows are."""
    _user_key(publisher, user)
    whose = [Reference(concrete(user.__class__), object_id_of(user))]
    rows = publisher.rows_reacting_to(row.__class__, [row.pk], whose)
    return rows.using(router.db_for_write(publisher.model))


def react(
    publisher: ReactionPublisher, user: Any, row: models.Model, values: Mapping[str, Any]
) -> tuple[models.Model, bool]:
    """The row by which a user reacts, and whether it is new.

    Of a kind without fields of its own there is one for each user. Raises Django's ValidationError.
    """
    ends = {_user_key(publisher, user): user}
    ends[_key(publisher, publisher.declaration.activity)] = row
    using = router.db_for_write(publisher.model)
    with transaction.atomic(using):
        if not writable_fields(publisher):
            # Of two requests at the same moment, one waits here for the other.
            user.__class__._default_manager.using(using).select_for_update().get(pk=user.pk)
            if (there := own_reactions(publisher, user, row).first()) is not None:
                return there, False
        made = publisher.model(**ends, **values)
        made.full_clean()
        _refuse_infinity(made, values)
        made.save(using=using)
    return made, True


def _refuse_infinity(row: models.Model, values: Mapping[str, Any]) -> None:
    """Columns of floats take "NaN" and "Infinity", which no feed and no JSON can say."""
    odd = [name for name in values if isinstance(one := getattr(row, name), float) and not math.isfinite(one)]
    if odd:
        raise ValidationError({name: ["Must be a finite number."] for name in odd})


def _user_key(publisher: ReactionPublisher, user: Any) -> str:
    name = publisher.key_to_user(concrete(user.__class__))
    if name is None:
        raise _unfit(publisher)
    return name


def _key(publisher: ReactionPublisher, source: Any) -> str:
    """The name of a foreign key; a row cannot be made where something else leads to the end of it."""
    if not isinstance(source, str) or "." in source:
        raise _unfit(publisher)
    return source


def _unfit(publisher: ReactionPublisher) -> ImproperlyConfigured:
    return ImproperlyConfigured(
        f"the JSON API cannot make and delete rows of {publisher.model._meta.label}: user and activity of "
        "its class Reaction must be foreign keys, and the former one to the user model"
    )
