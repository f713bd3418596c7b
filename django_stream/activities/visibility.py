"""Which rows a viewer may see: what models say by `visible_to`, and mutes and blocks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from functools import partial
from operator import attrgetter
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.utils.functional import SimpleLazyObject

from django_stream.activities.ids import from_wire_id, pk_text
from django_stream.activities.model_references import clean_pk, concrete
from django_stream.activities.owners import OwnerID, is_user_model, owner_model, parse_owner_id
from django_stream.activities.paths import Source, related_model, resolve
from django_stream.activities.publishers.activities import ActivityPublisher, representation_of
from django_stream.activities.publishers.base import with_related
from django_stream.activities.publishers.reactions import ReactionPublisher
from django_stream.activities.registry import ModelOrLabel, model_of
from django_stream.activities.relations import Relation, has_blocks, relations
from django_stream.activities.representation import DEFAULT_ACTOR, overrides, represents_itself
from django_stream.publishing.publisher import publishers_of

Rows = models.QuerySet[Any]
VisibleTo = Callable[[Any, Rows], Rows]


class SeesAll:
    """Nothing is hidden from it."""

    pk = None

    def __repr__(self) -> str:
        return "SEES_ALL"


SEES_ALL = SeesAll()
"""The viewer for what no visitor reads: checks, exports, pages of the staff."""

_registered: dict[type[models.Model], VisibleTo] = {}


def register_visibility(model: ModelOrLabel, visible_to: VisibleTo) -> None:
    """Say of a model that is not yours which rows a viewer may see.

    `visible_to(viewer, rows)` takes a user (or AnonymousUser) and a queryset, and returns a narrower one.
    Models of your own have a static method of this name. Call it in the `ready()` of an app.
    """
    _registered[concrete(model_of(model))] = visible_to


def registered_visibility() -> list[tuple[type[models.Model], VisibleTo]]:
    """What was registered by calls, for the system checks."""
    return list(_registered.items())


def visibility_of(model: type[models.Model]) -> VisibleTo | None:
    """What says which rows of a model a viewer may see; None when everybody sees all."""
    # A field or a method of rows may have the name by chance.
    own = next((vars(one)["visible_to"] for one in model.__mro__ if "visible_to" in vars(one)), None)
    if isinstance(own, staticmethod | classmethod):
        function: VisibleTo = model.visible_to  # type: ignore[attr-defined]
        return function
    return next((_registered[one] for one in model.__mro__ if one in _registered), None)


def viewer_of(user: Any) -> Any:
    """The viewer that a user stands for, or the key of one, which is looked up when needed.

    None, and owners of feeds who are no users, are visitors.
    """
    if user is None or isinstance(user, SeesAll | AnonymousUser):
        return AnonymousUser() if user is None else user
    if isinstance(user, models.Model):
        return user if is_user_model(user.__class__) else AnonymousUser()
    return SimpleLazyObject(lambda: _user_with(user))


def _user_with(key: Any) -> Any:
    text = pk_text(key)
    if parse_owner_id(text) is not None:
        return AnonymousUser()
    users: type[models.Model] = get_user_model()
    pk = clean_pk(users, from_wire_id(text) if isinstance(key, OwnerID) else text)
    found = None if pk is None else users._default_manager.filter(pk=pk).first()
    return found or AnonymousUser()


def is_restricted(model: type[models.Model], viewer: Any, *, with_muted: bool = False) -> bool:
    """Whether some rows of a model may be hidden from a viewer."""
    if viewer is SEES_ALL:
        return False
    if visibility_of(model) is not None:
        return True
    by_relation = relations(viewer, with_muted=with_muted)
    return any(owner_model(model) is one.hidden or _authors(model) for one in by_relation)


def hides_some(models_: Iterable[type[models.Model]], viewer: Any, *, with_muted: bool = False) -> bool:
    """The same of several models, and whether anybody is muted or blocked is looked up."""
    if viewer is SEES_ALL:
        return False
    return any(visibility_of(model) for model in models_) or any(
        one.hides_somebody(viewer) for one in relations(viewer, with_muted=with_muted)
    )


def visible(viewer: Any, rows: Rows, *, with_muted: bool = False) -> Rows:
    """The rows that a viewer may see, by conditions in the same query.

    Where code tells the author of a row, and no foreign key, `by_hidden_authors` has the rest.
    """
    rows = narrowed(viewer, rows)
    for relation in () if viewer is SEES_ALL else relations(viewer, with_muted=with_muted):
        for path in _paths(rows.model, relation):
            rows = relation.without_hidden(rows, viewer, path)
    return rows


def narrowed(viewer: Any, rows: Rows) -> Rows:
    """The rows that `visible_to` leaves, whoever is muted or blocked."""
    visible_to = visibility_of(rows.model)
    if viewer is SEES_ALL or visible_to is None:
        return rows
    found = visible_to(viewer, rows)
    if not isinstance(found, models.QuerySet) or found.model is not rows.model:
        raise TypeError(
            f"visible_to of {rows.model._meta.label} must return a queryset of the same model, "
            f"and not {found!r}"
        )
    return found


def visible_rows(viewer: Any, rows: Sequence[Any], *, with_muted: bool = False) -> list[Any]:
    """Those of rows that were read already, in order, whoever tells their authors."""
    by_model: dict[type[models.Model], list[models.Model]] = defaultdict(list)
    for row in rows:
        by_model[type(row)].append(row)
    seen: set[models.Model] = set()
    for model, some in by_model.items():
        found = model._default_manager.filter(pk__in=[row.pk for row in some])
        pks = set(narrowed(viewer, found).values_list("pk", flat=True))
        seen.update(row for row in some if row.pk in pks)
    hidden = by_hidden_authors(viewer, rows, with_muted=with_muted)
    return [row for row in rows if row in seen and row not in hidden]


def refuse_untold_authors(model: type[models.Model]) -> None:
    """TypeError where people block one another, and no foreign key tells whose the rows are."""
    if any(map(callable, _authors(model))) and has_blocks():
        raise TypeError(
            f"only code tells the authors of {model._meta.label}, so no query can leave out blocked ones: "
            "read the rows, and give visible_to a list of them"
        )


def with_authors(rows: Rows) -> Rows:
    """The rows with what leads to their authors, so that `by_hidden_authors` asks no query of each."""
    longer = [source for source in _authors(rows.model) if isinstance(source, str) and "." in source]
    return with_related(rows, longer, rows.db) if longer else rows


def by_hidden_authors(viewer: Any, rows: Collection[Any], *, with_muted: bool = False) -> set[models.Model]:
    """Those of the rows that are, or are of, people who are hidden from the viewer.

    For rows that were read already, this costs less than conditions in the query.
    """
    if viewer is SEES_ALL or not rows:
        return set()
    hidden: set[models.Model] = set()
    by_model: dict[type[models.Model], list[models.Model]] = defaultdict(list)
    for row in rows:
        by_model[type(row)].append(row)
    for relation in relations(viewer, with_muted=with_muted):
        by_person: dict[Any, list[models.Model]] = defaultdict(list)
        for model, some in by_model.items():
            for key_of in _keys_of_people(model, relation.hidden):
                for row in some:
                    by_person[key_of(row)].append(row)
        by_person.pop(None, None)
        for pk in relation.hidden_among(viewer, list(by_person)) if by_person else ():
            hidden.update(by_person[pk])
    return hidden


def _keys_of_people(
    model: type[models.Model], people: type[models.Model]
) -> Iterator[Callable[[models.Model], Any]]:
    """What tells the key of the person that a row of a model is, or is of; it may be None."""
    if owner_model(model) is people:
        yield attrgetter("pk")
    for source in _authors(model):
        if callable(source):
            yield partial(_key_told, source, people)
        elif owner_model(related_model(model, source) or model) is people:
            yield _key_at(model, source)


def _key_told(source: Callable[[Any], Any], people: type[models.Model], row: models.Model) -> Any:
    return _key_of(source(row), people)


def _key_at(model: type[models.Model], path: str) -> Callable[[models.Model], Any]:
    """The primary key at the end of a path, read from the foreign key itself where that has it."""
    field: Any = None if "." in path else model._meta.get_field(path)
    if field is not None and field.target_field.primary_key:
        return attrgetter(field.attname)
    return lambda row: getattr(resolve(row, path), "pk", None)


def _paths(model: type[models.Model], relation: Relation) -> Iterator[str]:
    """The paths by which rows lead to those whom the relation may hide."""
    if owner_model(model) is relation.hidden:
        yield "pk"
    for source in _authors(model):
        if isinstance(source, str) and owner_model(related_model(model, source) or model) is relation.hidden:
            yield source.replace(".", "__") + "__pk"


def _authors(model: type[models.Model]) -> list[Source]:
    """Whose a row is: paths of foreign keys, or callables where code tells."""
    return list(dict.fromkeys(_sources(model)))


def _sources(model: type[models.Model]) -> Iterable[Source]:
    for publisher in publishers_of(model):
        # A row may also be a row of a tracked child, which says whose that is.
        if not issubclass(model, publisher.model):
            continue
        if isinstance(publisher, ActivityPublisher):
            source = publisher.declaration.actor or DEFAULT_ACTOR
            overridden = represents_itself(model) and overrides(model, "activity_actor_attr")
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
    return None if representation is None else representation.activity_actor_attr


def _key_of(author: Any, model: type[models.Model]) -> Any:
    """The author's key, if rows of this model are such authors; None otherwise."""
    if isinstance(author, models.Model):
        return author.pk if owner_model(author.__class__) is model else None
    if author is None or not is_user_model(model):
        return None
    return clean_pk(model, pk_text(author))
