"""The site's own rows by which users follow one another, written for it by the JSON API."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.db import models, router, transaction

from django_stream.activities.owners import is_user_model
from django_stream.activities.paths import resolve
from django_stream.activities.publishers.follows import FollowPublisher
from django_stream.activities.relations import is_relation
from django_stream.conf import stream_settings
from django_stream.publishing.publisher import publishers


def follow(follower: models.Model, followed: models.Model) -> bool:
    """Make the row by which one user follows another, if there is none; whether it follows already.

    It does not while a request waits: see `should_publish` of `class Follows`.
    """
    publisher = _of_users()
    declared = publisher.declaration
    using = router.db_for_write(publisher.model)
    with transaction.atomic(using):
        # Of two requests at the same moment, one waits here for the other.
        follower.__class__._default_manager.using(using).select_for_update().get(pk=follower.pk)
        row = publisher.rows_between(follower, followed, using).first()
        if row is None:
            ends = {declared.follower: follower, declared.followed: followed}
            row = publisher.model._default_manager.using(using).create(**ends)
    return declared.should_publish is None or bool(resolve(row, declared.should_publish))


def unfollow(follower: models.Model, followed: models.Model) -> None:
    """Delete the rows by which one user follows another, or asks to.

    Others stay, such as the block that the followed one keeps in the same table: see `requested` of
    `class Follows`.
    """
    publisher = _of_users()
    declared = publisher.declaration
    conditions = [one for one in (declared.should_publish, declared.requested) if one is not None]
    using = router.db_for_write(publisher.model)
    with transaction.atomic(using):
        rows = publisher.rows_between(follower, followed, using)
        if declared.should_publish is not None:
            locked = rows.select_for_update()
            ended = [row.pk for row in locked if any(resolve(row, one) for one in conditions)]
            rows = rows.filter(pk__in=ended)
        rows.delete()


def _of_users() -> FollowPublisher:
    """The model that STREAM_FOLLOW_MODEL names, or the only one by which users follow users."""
    found = [one for one in publishers() if isinstance(one, FollowPublisher) and _joins_users(one)]
    wanted = stream_settings.FOLLOW_MODEL
    named = [one for one in found if wanted is None or one.model._meta.label.lower() == wanted.lower()]
    if len(named) == 1:
        return named[0]
    labels = ", ".join(one.model._meta.label for one in found) or "none"
    raise ImproperlyConfigured(
        f"which model makes users follow users? Name one by STREAM_FOLLOW_MODEL; there is: {labels}"
    )


def _joins_users(publisher: FollowPublisher) -> bool:
    fields: Any = publisher.key_fields
    return (
        # By rows of this model people are hidden from one another.
        not is_relation(publisher.model)
        and publisher.declaration.feed in (None, stream_settings.USER_FEED)
        and len(fields) == 2
        and all(field.related_model is not None and is_user_model(field.related_model) for field in fields)
    )
