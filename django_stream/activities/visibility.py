"""Which rows a viewer may see: what models say by `visible_to`, and mutes and blocks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.utils.functional import SimpleLazyObject

from django_stream.activities.authors import UNTOLD, authors, keys_of_people, paths_to
from django_stream.activities.ids import from_wire_id, pk_text
from django_stream.activities.model_references import clean_pk, concrete
from django_stream.activities.owners import OwnerID, is_user_model, owner_model, parse_owner_id
from django_stream.activities.publishers.base import with_related
from django_stream.activities.registry import ModelOrLabel, model_of
from django_stream.activities.relations import has_blocks, relations

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
    return any(owner_model(model) is one.hidden or authors(model) for one in by_relation)


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
        for path in paths_to(rows.model, relation):
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
    if any(map(callable, authors(model))) and has_blocks():
        raise TypeError(
            f"only code tells the authors of {model._meta.label}, so no query can leave out blocked ones: "
            "read the rows, and give visible_to a list of them"
        )


def with_authors(rows: Rows) -> Rows:
    """The rows with what leads to their authors, so that `by_hidden_authors` asks no query of each."""
    longer = [source for source in authors(rows.model) if isinstance(source, str) and "." in source]
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
            for key_of in keys_of_people(model, relation.hidden):
                for row in some:
                    by_person[key_of(row)].append(row)
        by_person.pop(None, None)
        untold = by_person.pop(UNTOLD, [])
        if untold and relation.hides_somebody(viewer):
            hidden.update(untold)
        for pk in relation.hidden_among(viewer, list(by_person)) if by_person else ():
            hidden.update(by_person[pk])
    return hidden
