"""Which models are tracked: those with a mixin by themselves, others by one call."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import Any, TypeVar

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist
from django.db import models

from django_stream.activities.declaration import ActivityDeclaration, option_names
from django_stream.activities.mixins import (
    ActivityMixin,
    CollectionMixin,
    FollowMixin,
    ReactionMixin,
    TrackedModel,
    UserMixin,
)
from django_stream.activities.model_references import concrete, refer_by_prefix
from django_stream.activities.options import options_of
from django_stream.activities.paths import related_model
from django_stream.activities.publishers.activities import ActivityPublisher
from django_stream.activities.publishers.follow_fields import follows_by, track_pairs
from django_stream.activities.publishers.follows import FollowDeclaration, FollowPublisher
from django_stream.activities.publishers.mirrors import CollectionPublisher, MirrorDeclaration, UserPublisher
from django_stream.activities.publishers.reactions import ReactionDeclaration, ReactionPublisher
from django_stream.activities.representation import ActivityProperties, RegisteredActivity
from django_stream.publishing.publisher import Publisher, publishers, publishers_of
from django_stream.publishing.receivers import listen_to, track, track_relation

_Declaration = TypeVar("_Declaration")
_registered: dict[type[models.Model], dict[str, Any]] = {}
_shown: set[type[models.Model]] = set()


def track_mixins() -> None:
    """Track every model of the project that has one of the mixins."""
    for model in apps.get_models():
        if not issubclass(model, TrackedModel):
            continue
        if model._meta.proxy:
            listen_to(model)
            continue
        for mixin, begin in _BEGIN.items():
            if issubclass(model, mixin):
                _unless_broken(begin, model)


def register(model: type[models.Model], **options: Any) -> None:
    """Track a model that cannot be subclassed; options are those of `class Activity`.

    Call it in the `ready()` of an app. Bulk operations of its own managers are not seen: call
    `republish` (in `publishing.backfill`) after them.
    """
    _registered[model] = options
    declaration = ActivityDeclaration(**{name: options[name] for name in options if name in option_names()})
    _track_activities(model, declaration, lambda row: RegisteredActivity(row, declaration))


def registered() -> dict[type[models.Model], dict[str, Any]]:
    """Options of the models that were registered by a call, for the system checks."""
    return _registered


def declared_feeds() -> Iterator[tuple[str, str]]:
    """Slugs of feed groups that declarations name, after the place of each, for the system checks."""
    for publisher in publishers():
        label = publisher.model._meta.label
        if isinstance(publisher, ActivityPublisher):
            replaced = getattr(publisher.model, "activity_author_feed", None)
            if slug := replaced if isinstance(replaced, str) else publisher.declaration.feed:
                yield f"{label}: Activity.feed", slug
        elif isinstance(publisher, FollowPublisher) and publisher.declaration.feed:
            yield f"{label}: Follows.feed", publisher.declaration.feed


def register_users(model: type[models.Model], fields: Sequence[str] = ()) -> None:
    """Mirror a user model that cannot be subclassed, such as Django's own, as users of the API."""
    _track_users(model, MirrorDeclaration(fields))


def register_follows(model: type[models.Model], field_name: str, feed: str | None = None) -> None:
    """Let a many-to-many field mean that rows of the model follow those in the field."""
    field = model._meta.get_field(field_name)
    if not isinstance(field, models.ManyToManyField):
        raise TypeError(f"{model._meta.label}.{field_name} is not a many-to-many field")
    track_pairs(follows_by(field, feed), field)


def show(*models_: type[models.Model]) -> None:
    """Let references to these models be replaced by instances when feeds are read."""
    _shown.update(concrete(model) for model in models_)


def is_shown(model: type[models.Model]) -> bool:
    return concrete(model) in _shown


def representation_of(row: models.Model) -> ActivityProperties | None:
    """What speaks for a row as an activity, None when its model is not tracked so."""
    for publisher in publishers_of(type(row)):
        if isinstance(publisher, ActivityPublisher) and isinstance(row, publisher.model):
            return publisher.representation(row)
    return None


def _unless_broken(begin: Callable[[type[models.Model]], None], model: type[models.Model]) -> None:
    # Starting must stay possible: the system checks say what is wrong, and how to mend it.
    with suppress(FieldDoesNotExist, TypeError):
        begin(model)


def _read(declaration: type[_Declaration], model: type[models.Model], inner: str) -> _Declaration:
    return declaration(**options_of(model, inner))


def _track_activities(
    model: type[models.Model],
    declaration: ActivityDeclaration,
    representation: Callable[[Any], ActivityProperties],
) -> None:
    publisher = ActivityPublisher(model, declaration, representation)
    track(publisher)
    _track_recipients(model, declaration, publisher)
    show(model)
    ends = (declaration.actor or "user", declaration.object, declaration.target)
    show(*(related for source in ends if source and (related := related_model(model, source))))


def _track_recipients(
    model: type[models.Model], declaration: ActivityDeclaration, publisher: Publisher
) -> None:
    for field in model._meta.many_to_many:
        if field.name == declaration.to:
            track_relation(publisher, field)


def _track_users(model: type[models.Model], declaration: MirrorDeclaration) -> None:
    track(UserPublisher(model, declaration))
    refer_by_prefix(concrete(model), "SU")
    show(model)


def _begin_activities(model: type[models.Model]) -> None:
    _track_activities(model, ActivityDeclaration.of(model), lambda row: row)


def _begin_follows(model: type[models.Model]) -> None:
    track(FollowPublisher(model, _read(FollowDeclaration, model, "Follows")))


def _begin_collection(model: type[models.Model]) -> None:
    declaration = _read(MirrorDeclaration, model, "Collection")
    named = MirrorDeclaration(declaration.fields, declaration.name or model._meta.model_name or "")
    track(CollectionPublisher(model, named))
    refer_by_prefix(concrete(model), f"SO:{named.name}")
    show(model)


def _begin_users(model: type[models.Model]) -> None:
    _track_users(model, _read(MirrorDeclaration, model, "StreamUser"))


def _begin_reactions(model: type[models.Model]) -> None:
    track(ReactionPublisher(model, _read(ReactionDeclaration, model, "Reaction"), representation_of))


_BEGIN: dict[type[models.Model], Callable[[type[models.Model]], None]] = {
    ActivityMixin: _begin_activities,
    FollowMixin: _begin_follows,
    CollectionMixin: _begin_collection,
    UserMixin: _begin_users,
    ReactionMixin: _begin_reactions,
}
