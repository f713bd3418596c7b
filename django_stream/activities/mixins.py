"""Mixins for models: one base class, and rows reach the feeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from django.db import models, router
from django.db.models.signals import class_prepared

from django_stream.activities.inherited_managers import track_inherited_managers, with_own_meta
from django_stream.activities.managers import TrackedManager
from django_stream.activities.publishers.follows import FollowPublisher
from django_stream.activities.representation import ActivityProperties, with_activity_properties
from django_stream.publishing.capture import is_captured
from django_stream.publishing.outbox import one_transaction
from django_stream.publishing.publisher import publishers_of


@with_own_meta
class TrackedModel(models.Model):
    """A model whose changes are noted in the outbox, in the transaction that makes them."""

    objects = TrackedManager()

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> Any:
        # Django sends post_save after its own transaction; the outbox row belongs inside.
        with one_transaction(_database_of(self, args, kwargs)):
            return super().save(*args, **kwargs)

    save.alters_data = True  # type: ignore[attr-defined]


def _prepared(sender: type[models.Model], **_: Any) -> None:
    if issubclass(sender, TrackedModel):
        track_inherited_managers(sender, TrackedModel)


class_prepared.connect(_prepared, dispatch_uid="django_stream.managers")


if TYPE_CHECKING:

    class _SelfRepresenting(ActivityProperties, TrackedModel):
        class Meta:
            abstract = True

else:  # Migrations name every base that is no model, and nothing of ours may stand in those of a project.
    _SelfRepresenting = TrackedModel


@with_own_meta
@with_activity_properties
class ActivityMixin(_SelfRepresenting):
    """Rows are events: each publishes an activity, described by `class Activity` or by properties."""

    class Meta:
        abstract = True


@with_own_meta
class FollowMixin(TrackedModel):
    """Rows say 'A follows B': `class Follows` names the two foreign keys.

    While such a row exists, the news feeds of `follower` follow the feed of `followed`.
    """

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> Any:
        with one_transaction(_database_of(self, args, kwargs)):
            if self.pk is not None and not (self._state.adding and _pk_has_default(self)):
                self._remember_pair(_database_of(self, args, kwargs))
            return super().save(*args, **kwargs)

    save.alters_data = True  # type: ignore[attr-defined]

    def delete(self, *args: Any, **kwargs: Any) -> Any:
        with one_transaction(using := _database_of(self, args, kwargs, place=0)):
            self._remember_pair(using)
            return super().delete(*args, **kwargs)

    delete.alters_data = True  # type: ignore[attr-defined]

    def _remember_pair(self, using: str) -> None:
        """Remember the pair in the table, locked until the transaction ends; this instance may be stale."""
        for publisher in publishers_of(type(self)):
            if isinstance(publisher, FollowPublisher) and not is_captured(publisher.label, using):
                publisher.remember_pair(self, using)


@with_own_meta
class CollectionMixin(TrackedModel):
    """Rows are mirrored as entries of a collection, and referred to as `SO:<name>:<id>`.

    `class Collection` gives the name and the fields; a property `collection_data` may replace the fields.
    """

    class Meta:
        abstract = True


@with_own_meta
class UserMixin(TrackedModel):
    """Rows of a user model are mirrored as users of the API, and referred to as `SU:<id>`.

    `class StreamUser` gives the fields; a property `stream_user_data` may replace them.
    """

    class Meta:
        abstract = True


@with_own_meta
class ReactionMixin(TrackedModel):
    """Rows are reactions (likes, comments) to the activity of another row, named by `class Reaction`."""

    class Meta:
        abstract = True


def _database_of(row: models.Model, args: Sequence[Any], kwargs: Mapping[str, Any], place: int = 2) -> str:
    """The database that a call goes to: `using` stands third in `save` and first in `delete`.

    Other libraries put arguments of their own there, which name no database.
    """
    given = kwargs.get("using") or (args[place] if len(args) > place else None)
    return given if isinstance(given, str) else router.db_for_write(type(row), instance=row)


def _pk_has_default(row: models.Model) -> bool:
    """Whether new rows get their primary key from a default, and so cannot be in the table yet."""
    return all(field.has_default() for field in row._meta.pk_fields)
