"""Which models are tracked: those with a mixin by themselves, others by one call."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist
from django.db import models

from django_stream.activities import kinds
from django_stream.activities.declaration import ActivityDeclaration
from django_stream.activities.mixins import TrackedModel
from django_stream.activities.model_references import concrete, refer_by_prefix
from django_stream.activities.options import option_names
from django_stream.activities.publishers.activities import ActivityPublisher
from django_stream.activities.publishers.base import TrackedPublisher
from django_stream.activities.publishers.follow_fields import follows_by, track_pairs
from django_stream.activities.publishers.mirrors import MirrorDeclaration
from django_stream.activities.representation import RegisteredActivity
from django_stream.publishing.publisher import publishers
from django_stream.publishing.receivers import listen_to, track, track_relation

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
        for kind in kinds.KINDS:
            if issubclass(model, kind.mixin):
                # The site must start even so: the system checks say what is wrong and how to mend it.
                with suppress(FieldDoesNotExist, TypeError):
                    _start(kind.publisher_of(model))


def register(model: type[models.Model], **options: Any) -> None:
    """Track the rows of a model that cannot be given a mixin, as activities.

    `options` are those of `class Activity`, such as `actor="user", verb="win"`; the system checks name
    what is wrong with them. Call it in the `ready()` of an app. Bulk operations of the model's own managers
    are not seen: call `republish` after them.
    """
    _registered[model] = options
    known = option_names(ActivityDeclaration)
    declaration = ActivityDeclaration(**{name: options[name] for name in options if name in known})
    _start(ActivityPublisher(model, declaration, lambda row: RegisteredActivity(row, declaration)))


def registered() -> dict[type[models.Model], dict[str, Any]]:
    """Options of the models that were registered by a call, for the system checks."""
    return _registered


def register_users(model: type[models.Model], fields: Sequence[str] = ()) -> None:
    """Mirror a user model that cannot be given a mixin, such as Django's own, as users of the API.

    `fields` are the paths whose values become the user's data. Call it in the `ready()` of an app.
    """
    _start(kinds.USERS.make(model, MirrorDeclaration(fields)))


def register_follows(model: type[models.Model], field_name: str, feed: str | None = None) -> None:
    """Let a many-to-many field mean that rows of the model follow the rows in the field.

    `feed` is the slug of the feed that is followed, by default STREAM_USER_FEED. TypeError when the field
    is of another type. Call it in the `ready()` of an app.
    """
    field = model._meta.get_field(field_name)
    if not isinstance(field, models.ManyToManyField):
        raise TypeError(f"{model._meta.label}.{field_name} is not a many-to-many field")
    track_pairs(follows_by(field, feed), field)


def show(*models_: type[models.Model]) -> None:
    """Let pages show rows of these models: references to them are replaced by instances.

    Tracked models, the user model, and what the paths of `actor`, `object` and `target` lead to are shown
    without this.
    """
    _shown.update(concrete(model) for model in models_)


def is_shown(model: type[models.Model]) -> bool:
    """Whether references to rows of this model are replaced by instances."""
    return concrete(model) in _shown


def declared_feeds() -> Iterator[tuple[str, str]]:
    """Slugs of feed groups that declarations name, each after its place, for the system checks."""
    for publisher in publishers():
        if isinstance(publisher, TrackedPublisher) and (slug := publisher.declared_feed):
            yield f"{publisher.model._meta.label}: {kinds.kind_of(publisher).inner}.feed", slug


def _start(publisher: TrackedPublisher) -> None:
    track(publisher)
    for field in publisher.recipient_relations():
        track_relation(publisher, field)
    if publisher.reference_prefix:
        refer_by_prefix(concrete(publisher.model), publisher.reference_prefix)
    show(*publisher.shown_models())
