"""The site's own rows by which users follow, written for it by buttons and the JSON API."""

from __future__ import annotations

import logging
from functools import partial
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.db import models, router, transaction

from django_stream.activities.owners import is_user_model
from django_stream.activities.paths import resolve
from django_stream.activities.publishers.follows import FollowPublisher
from django_stream.activities.relations import is_relation
from django_stream.conf import stream_settings
from django_stream.database.failures import or_else
from django_stream.publishing.publisher import publishers

logger = logging.getLogger("django_stream.activities")


def follow(follower: models.Model, followed: models.Model) -> bool:
    """Make the row by which a user follows a row, if there is none; whether it follows already.

    It does not while a request waits: see `should_publish` of `class Follows`.
    """
    publisher = _publisher(follower, followed)
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
    """Delete the rows by which a user follows a row, or asks to.

    Others stay, such as the block that the followed one keeps in the same table: see `requested` of
    `class Follows`.
    """
    publisher = _publisher(follower, followed)
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


def state_of(follower: models.Model, followed: models.Model) -> tuple[bool, bool] | None:
    """Whether a user follows a row, and whether a request to waits, as the rows say; one query.

    None where no model of the site makes one follow the other, or nobody has said which of them does.
    """
    found = _chosen(_between(follower, followed), followed)
    if len(found) != 1:
        return None
    (publisher,) = found
    declared = publisher.declaration
    rows = publisher.rows_between(follower, followed, router.db_for_read(publisher.model))
    told = [
        (_says(row, declared.should_publish, True), _says(row, declared.requested, False)) for row in rows
    ]
    follows = any(follows for follows, _ in told)
    return follows, not follows and any(waits for _, waits in told)


def _says(row: models.Model, condition: Any, otherwise: bool) -> bool:
    if condition is None:
        return otherwise
    read = partial(resolve, row, condition)
    return bool(or_else(False, read, logger, "%s cannot tell whether it follows", row.__class__.__name__))


def has_rows(follower: models.Model, followed: models.Model) -> bool:
    """Whether one follows the other by rows of the site, or else by a call of the API alone."""
    return bool(_between(follower, followed))


def _publisher(follower: models.Model, followed: models.Model) -> FollowPublisher:
    """The only model whose rows make one follow the other, or that which STREAM_FOLLOW_MODEL names."""
    found = _between(follower, followed)
    named = _chosen(found, followed)
    if len(named) == 1:
        return named[0]
    labels = ", ".join(sorted({one.model._meta.label for one in found})) or "none"
    raise ImproperlyConfigured(
        f"which model makes users follow {followed._meta.verbose_name_plural}? "
        f"Name one by STREAM_FOLLOW_MODEL; there is: {labels}"
    )


def _chosen(found: list[FollowPublisher], followed: models.Model) -> list[FollowPublisher]:
    wanted = stream_settings.FOLLOW_MODEL
    named = [one for one in found if wanted and one.model._meta.label.lower() == wanted.lower()]
    if wanted is None or not is_user_model(followed.__class__):
        return named or found
    return named


def _between(follower: models.Model, followed: models.Model) -> list[FollowPublisher]:
    """Those by whose rows one can follow the other; generic keys only where no foreign key does it."""
    found = [
        one
        for one in publishers()
        if isinstance(one, FollowPublisher)
        # By rows of this model people are hidden from one another.
        and not is_relation(one.model)
        # A row whose owner stands elsewhere says more than that somebody follows.
        and not one.is_path
        and one.declaration.feed in (None, stream_settings.USER_FEED)
        and one.joins(follower.__class__, followed.__class__)
    ]
    return [one for one in found if len(one.key_fields) == 2] or found
