"""Whose a row is, as mutes and blocks ask: by foreign keys, or by what code tells of each row."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from operator import attrgetter
from typing import Any

from django.db import models

from django_stream.activities.ids import from_wire_id, pk_text
from django_stream.activities.model_references import clean_pk
from django_stream.activities.owners import OwnerID, is_user_model, owner_model, parse_owner_id
from django_stream.activities.paths import Source, related_model, resolve
from django_stream.activities.publishers.activities import ActivityPublisher, representation_of
from django_stream.activities.publishers.reactions import ReactionPublisher
from django_stream.activities.relations import Relation
from django_stream.activities.representation import DEFAULT_ACTOR, overrides, represents_itself
from django_stream.database.failures import or_else
from django_stream.publishing.publisher import publishers_of

logger = logging.getLogger("django_stream.feeds")

UNTOLD = object()
"""The author of a row whose own code fails."""

_ACTORS = ("activity_actor_attr", "activity_actor_id")


def _told(key_of: Callable[[models.Model], Any], row: models.Model) -> Any:
    """The key; where the row's own code fails, nobody knows whose it is, and the other rows are shown."""
    told = "nobody can tell whose row %s:%s is"
    return or_else(UNTOLD, lambda: key_of(row), logger, told, row._meta.label, row.pk)


def keys_of_people(
    model: type[models.Model], people: type[models.Model]
) -> Iterator[Callable[[models.Model], Any]]:
    """What tells the key of the person that a row of a model is, or is of; it may be None or UNTOLD."""
    if owner_model(model) is people:
        yield attrgetter("pk")
    for source in authors(model):
        if callable(source):
            yield partial(_told, partial(_key_by_code, source, people))
        elif owner_model(related_model(model, source) or model) is people:
            yield partial(_told, _key_at(model, source))


def _key_by_code(source: Callable[[Any], Any], people: type[models.Model], row: models.Model) -> Any:
    return _key_of(source(row), people)


def _key_at(model: type[models.Model], path: str) -> Callable[[models.Model], Any]:
    """The primary key at the end of a path, read from the foreign key itself where that has it."""
    field: Any = None if "." in path else model._meta.get_field(path)
    if field is not None and field.target_field.primary_key:
        return attrgetter(field.attname)
    return lambda row: getattr(resolve(row, path), "pk", None)


def paths_to(model: type[models.Model], relation: Relation) -> Iterator[str]:
    """The paths by which rows lead to those whom the relation may hide."""
    if owner_model(model) is relation.hidden:
        yield "pk"
    for source in authors(model):
        if isinstance(source, str) and owner_model(related_model(model, source) or model) is relation.hidden:
            yield source.replace(".", "__") + "__pk"


def authors(model: type[models.Model]) -> list[Source]:
    """Whose a row is: paths of foreign keys, or callables where code tells."""
    return list(dict.fromkeys(_sources(model)))


def _sources(model: type[models.Model]) -> Iterable[Source]:
    for publisher in publishers_of(model):
        # A row may also be a row of a tracked child, which says whose that is.
        if not issubclass(model, publisher.model):
            continue
        if isinstance(publisher, ActivityPublisher):
            source = publisher.declaration.actor or DEFAULT_ACTOR
            overridden = represents_itself(model) and overrides(model, *_ACTORS)
            if overridden or not isinstance(source, str) or related_model(model, source) is None:
                source = _actor_of
            yield source
        elif isinstance(publisher, ReactionPublisher):
            source = publisher.declaration.user
            path = isinstance(source, str) and related_model(model, source) is not None
            yield source if path else partial(_user_of, source)


def _user_of(source: Source, row: models.Model) -> Any:
    return resolve(row, source)


def _actor_of(row: models.Model) -> Any:
    representation = representation_of(row)
    if representation is None:
        return None
    # A row that tells whose feed it goes to may have no actor that is an instance.
    if represents_itself(type(row)) and overrides(type(row), "activity_actor_id"):
        return representation.activity_actor_id
    return representation.activity_actor_attr


def _key_of(author: Any, model: type[models.Model]) -> Any:
    """The author's key, if rows of this model are such authors; None otherwise."""
    if isinstance(author, models.Model):
        return author.pk if owner_model(author.__class__) is model else None
    if author is None:
        return None
    text = pk_text(author)
    owner = parse_owner_id(text)
    if owner is not None:
        return clean_pk(model, owner.object_id) if owner_model(owner.model) is model else None
    if not is_user_model(model):
        return None
    return clean_pk(model, from_wire_id(text) if isinstance(author, OwnerID) else text)
