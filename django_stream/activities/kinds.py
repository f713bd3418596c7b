"""The kinds of tracked models, one record each. Registry, checks and commands loop over `KINDS`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal

from django.db import models

from django_stream.activities.declaration import PATHS, ActivityDeclaration
from django_stream.activities.mixins import (
    ActivityMixin,
    CollectionMixin,
    FollowMixin,
    ReactionMixin,
    UserMixin,
)
from django_stream.activities.options import read_declaration
from django_stream.activities.publishers.activities import ActivityPublisher, representation_of
from django_stream.activities.publishers.base import TrackedPublisher
from django_stream.activities.publishers.follows import FollowDeclaration, FollowPublisher
from django_stream.activities.publishers.mirrors import (
    CollectionDeclaration,
    CollectionPublisher,
    MirrorDeclaration,
    UserPublisher,
)
from django_stream.activities.publishers.reactions import ReactionDeclaration, ReactionPublisher
from django_stream.activities.representation import RegisteredActivity
from django_stream.activities.stream_django import Activity
from django_stream.publishing.publisher import Publisher, publishers

Command = Literal["stream_backfill", "stream_sync"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackedKind:
    """What the project knows of one kind of tracked model. Adding one: docs/recipes.md."""

    mixin: type[models.Model]
    plain_base: type[Any] | None = None
    """The base class of models that have it in place of the mixin, and is no model itself."""
    inner: str
    """Name of the inner class that declares it, such as "Follows"."""
    declaration: type[Any]
    """Dataclass with the options of the inner class."""
    publisher: type[TrackedPublisher]
    """Brings the rows to the feeds. Its `kind` is the suffix of labels in the outbox, after a "#"."""
    make: Callable[[type[models.Model], Any], TrackedPublisher]
    """Makes the publisher of a model from its declaration."""
    make_registered: Callable[[type[models.Model], Any], TrackedPublisher] | None = None
    """The same for a model without the mixin, where that makes a difference."""
    command: Command
    """The command that publishes whole tables, kind by kind in the order of `KINDS`."""
    paths: tuple[str, ...] = ()
    """Options whose values are field paths or callables."""
    to_one: frozenset[str] = frozenset()
    """Those of `paths` that must lead to one row."""
    lists: frozenset[str] = frozenset()
    """Options that are lists of names."""
    users: frozenset[str] = frozenset()
    """Options that are paths of foreign keys to the user model."""

    def publisher_of(self, model: type[models.Model]) -> TrackedPublisher:
        """A publisher for a model with the mixin; errors of its declaration are raised as they are."""
        return self._made(self.make, model, read_declaration(self.declaration, model, self.inner))

    def registered(self, model: type[models.Model], declaration: Any) -> TrackedPublisher:
        """A publisher for a model that cannot have the mixin."""
        return self._made(self.make_registered or self.make, model, declaration)

    def _made(
        self,
        make: Callable[[type[models.Model], Any], TrackedPublisher],
        model: type[models.Model],
        declaration: Any,
    ) -> TrackedPublisher:
        publisher = make(model, declaration)
        publisher.capture = getattr(declaration, "capture", None)
        return publisher


def _activities(model: type[models.Model], declaration: ActivityDeclaration) -> ActivityPublisher:
    return ActivityPublisher(model, declaration, lambda row: row)


def _registered_activities(model: type[models.Model], declaration: ActivityDeclaration) -> ActivityPublisher:
    return ActivityPublisher(model, declaration, lambda row: RegisteredActivity(row, declaration))


def _collection(model: type[models.Model], declaration: CollectionDeclaration) -> CollectionPublisher:
    name = declaration.name or model._meta.model_name or ""
    return CollectionPublisher(model, replace(declaration, name=name))


def _reactions(model: type[models.Model], declaration: ReactionDeclaration) -> ReactionPublisher:
    return ReactionPublisher(model, declaration, representation_of)


USERS = TrackedKind(
    mixin=UserMixin,
    inner="StreamUser",
    declaration=MirrorDeclaration,
    publisher=UserPublisher,
    make=UserPublisher,
    command="stream_backfill",
    paths=("fields",),
    lists=frozenset({"fields"}),
)
COLLECTIONS = TrackedKind(
    mixin=CollectionMixin,
    inner="Collection",
    declaration=CollectionDeclaration,
    publisher=CollectionPublisher,
    make=_collection,
    command="stream_backfill",
    paths=("fields",),
    lists=frozenset({"fields"}),
    users=frozenset({"owner"}),
)
ACTIVITIES = TrackedKind(
    mixin=ActivityMixin,
    plain_base=Activity,
    inner="Activity",
    declaration=ActivityDeclaration,
    publisher=ActivityPublisher,
    make=_activities,
    make_registered=_registered_activities,
    command="stream_backfill",
    paths=PATHS,
    lists=frozenset({"extra", "watch"}),
)
REACTIONS = TrackedKind(
    mixin=ReactionMixin,
    inner="Reaction",
    declaration=ReactionDeclaration,
    publisher=ReactionPublisher,
    make=_reactions,
    command="stream_backfill",
    paths=("activity", "user", "fields", "to", "should_publish"),
    to_one=frozenset({"activity"}),
    lists=frozenset({"fields"}),
)
FOLLOWS = TrackedKind(
    mixin=FollowMixin,
    inner="Follows",
    declaration=FollowDeclaration,
    publisher=FollowPublisher,
    make=FollowPublisher,
    command="stream_sync",
    paths=("follower", "followed", "should_publish", "requested"),
    to_one=frozenset({"follower", "followed"}),
)

# What others refer to comes first: this is the order in which whole tables are published.
KINDS: tuple[TrackedKind, ...] = (USERS, COLLECTIONS, ACTIVITIES, REACTIONS, FOLLOWS)


def kinds_of(model: type[models.Model]) -> list[TrackedKind]:
    """The kinds of a model by its bases; none for a model that is registered, or not tracked."""
    return [kind for kind in KINDS if issubclass(model, (kind.mixin, kind.plain_base or kind.mixin))]


def kind_of(publisher: Publisher) -> TrackedKind:
    """The kind that a publisher belongs to; LookupError for one that belongs to none."""
    for kind in KINDS:
        if isinstance(publisher, kind.publisher):
            return kind
    raise LookupError(f"{type(publisher).__name__} belongs to no kind: add it to activities/kinds.py")


def publishers_for(command: Command) -> list[Publisher]:
    """The publishers whose tables a command publishes, in its order."""
    mine = [one for one in publishers() if kind_of(one).command == command]
    return sorted(mine, key=lambda one: KINDS.index(kind_of(one)))
