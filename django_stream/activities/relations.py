"""People who do not want to see one another: models whose rows are mutes or blocks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import attrgetter, or_
from typing import Any, TypeGuard

from django.db import models, transaction
from django.db.models import Exists, OuterRef, Q
from django.db.models.signals import post_save

from django_stream.activities.owners import is_user_model, owner_model
from django_stream.activities.publishers.follows import FollowPublisher
from django_stream.activities.registry import ModelOrLabel, model_of
from django_stream.database import instances
from django_stream.database.conditions import either, every
from django_stream.publishing.publisher import Publisher, publishers


@dataclass(frozen=True, slots=True)
class Relation:
    """Rows of a model by which people are hidden from others."""

    model: type[models.Model]
    by: str
    """Foreign key to the person who wants this."""
    of: str
    """Foreign key to the person, or whatever else owns feeds, who is meant."""
    is_block: bool

    @property
    def hidden(self) -> type[models.Model]:
        """The model of those who are hidden."""
        return _end(self.model, self.of)

    def concerns(self, viewer: Any) -> bool:
        """Whether a viewer can have such rows at all: visitors have none."""
        return viewer.pk is not None and isinstance(viewer, _end(self.model, self.by))

    @property
    def _ways(self) -> list[tuple[str, str]]:
        return [(self.by, self.of), (self.of, self.by)] if self.is_block else [(self.by, self.of)]

    def hides_somebody(self, viewer: models.Model) -> bool:
        """Whether there is anybody whom the viewer does not see by this."""
        rows = self.model._default_manager
        return any(rows.filter(**{f"{mine}__pk": viewer.pk}).exists() for mine, _ in self._ways)

    def hidden_among(self, viewer: models.Model, pks: Sequence[Any]) -> set[Any]:
        """Which of these people are hidden from the viewer."""
        by_columns = self._holds_keys and len(pks) <= instances.MOST
        pairs = self._pairs_by_columns(viewer, pks) if by_columns else self._pairs(viewer, pks)
        return {theirs if mine == viewer.pk else mine for mine, theirs in pairs}

    def _pairs(self, viewer: models.Model, pks: Sequence[Any]) -> Iterable[tuple[Any, Any]]:
        """The keys of `by` and `of` in the rows between the viewer and these people."""
        ways = [Q(**{f"{mine}__pk": viewer.pk, f"{theirs}__pk__in": pks}) for mine, theirs in self._ways]
        rows = self.model._default_manager.filter(reduce(or_, ways))
        return rows.values_list(*(f"{one}__pk" for one in self._ways[0]))

    def _pairs_by_columns(self, viewer: models.Model, pks: Sequence[Any]) -> Iterable[tuple[Any, Any]]:
        """The same by a statement whose text is kept: every page asks it."""
        field: Any = self.model._meta.get_field
        ways = [
            every(instances.among(field(mine), [viewer.pk]), instances.among(field(theirs), pks))
            for mine, theirs in self._ways
        ]
        rows = instances.matching(self.model, self.model._default_manager.db, either(*ways))
        return map(attrgetter(field(self.by).attname, field(self.of).attname), rows)

    @property
    def _holds_keys(self) -> bool:
        """Whether the columns of both foreign keys hold primary keys, and the manager hides no row."""
        ends: Any = [self.model._meta.get_field(name) for name in (self.by, self.of)]
        return instances.adds_nothing(self.model) and all(end.target_field.primary_key for end in ends)

    def without_hidden(
        self, rows: models.QuerySet[Any], viewer: models.Model, path: str
    ) -> models.QuerySet[Any]:
        """The rows without those of people who are hidden from the viewer; `path` leads to the person."""
        for mine, theirs in self._ways:
            pair = {f"{mine}__pk": viewer.pk, f"{theirs}__pk": OuterRef(path)}
            rows = rows.exclude(Exists(self.model._default_manager.using(rows.db).filter(**pair)))
        return rows


_relations: dict[tuple[type[models.Model], str, str], Relation] = {}


def register_mutes(model: ModelOrLabel, *, by: str, of: str) -> None:
    """Let rows of a model mute: whoever `by` leads to sees nothing of those whom `of` leads to.

    Both are names of foreign keys. Call it in the `ready()` of an app.
    """
    _register(model, by, of, is_block=False)


def register_blocks(model: ModelOrLabel, *, by: str, of: str, unfollow: bool = True) -> None:
    """Let rows of a model block: neither of the two sees anything of the other.

    A block that is saved deletes the rows by which the two follow one another, unless `unfollow` is False.
    """
    relation = _register(model, by, of, is_block=True)
    uid = f"django_stream.blocks.{relation.model._meta.label}.{by}.{of}"
    if unfollow:
        receiver = _Unfollow(relation)
        post_save.connect(receiver, sender=relation.model, weak=False, dispatch_uid=uid)
    else:
        post_save.disconnect(sender=relation.model, dispatch_uid=uid)


def relations(viewer: Any, *, with_muted: bool) -> Iterator[Relation]:
    """The relations by which something may be hidden from a viewer."""
    for one in _relations.values():
        if (one.is_block or not with_muted) and one.concerns(viewer):
            yield one


def has_blocks() -> bool:
    """Whether people can block one another."""
    return any(one.is_block for one in _relations.values())


def is_relation(model: type[models.Model]) -> bool:
    """Whether rows of the model are mutes or blocks."""
    return any(one.model is model for one in _relations.values())


def _register(model: ModelOrLabel, by: str, of: str, *, is_block: bool) -> Relation:
    model = model_of(model)
    relation = Relation(model, by, of, is_block)
    if is_block and _end(model, by) is not _end(model, of):
        raise TypeError(f"{model._meta.label}: {by} and {of} lead to different models, and a block is mutual")
    for name in (by, of):
        _end(model, name)
    if not is_user_model(_end(model, by)):
        raise TypeError(f"{model._meta.label}.{by} must lead to users: nobody else looks at pages")
    _relations[model, by, of] = relation
    return relation


def _end(model: type[models.Model], name: str) -> type[models.Model]:
    field: Any = model._meta.get_field(name)
    if not isinstance(field, models.ForeignKey):
        raise TypeError(f"{model._meta.label}.{name} is no foreign key")
    return owner_model(field.related_model)


def _says_that_alone(publisher: Publisher) -> TypeGuard[FollowPublisher]:
    """Whether rows say that one follows another, and neither hide people nor belong to rows of their own."""
    return (
        isinstance(publisher, FollowPublisher) and not publisher.is_path and not is_relation(publisher.model)
    )


class _Unfollow:
    """Deletes the rows by which the two ends of a block follow one another."""

    def __init__(self, relation: Relation) -> None:
        self._relation = relation

    def __call__(self, instance: Any, using: str, raw: bool = False, **_: Any) -> None:
        ends = [getattr(instance, name) for name in (self._relation.by, self._relation.of)]
        # Rows of a fixture come in any order, and say themselves who follows whom.
        if raw or None in ends:
            return
        with transaction.atomic(using):
            for publisher in publishers():
                if _says_that_alone(publisher):
                    for one, other in (ends, ends[::-1]):
                        publisher.rows_between(one, other, using).delete()
