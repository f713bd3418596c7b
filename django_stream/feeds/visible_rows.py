"""Rows as their viewer may see them: those that a site lists itself, of people and of reactions."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any

from django.contrib.auth import get_user_model
from django.db import models

from django_stream.activities.paths import last_field, related_model
from django_stream.activities.publishers.reactions import ReactionPublisher
from django_stream.activities.visibility import by_hidden_authors, viewer_of, visible
from django_stream.database.failures import or_else

logger = logging.getLogger("django_stream.feeds")


def may_see(viewer: Any, row: models.Model) -> bool:
    """Whether a viewer may see a row on a page of its own: muted people are there, blocked ones are not."""
    rows = row.__class__._default_manager.filter(pk=row.pk)
    seen = visible(viewer, rows, with_muted=True).exists()
    return seen and not by_hidden_authors(viewer, [row], with_muted=True)


def visible_reactions(user: Any, publisher: ReactionPublisher, row: models.Model) -> models.QuerySet[Any]:
    """The rows of one kind that react to a row, without those that may not be seen or say that they are none.

    Where only code tells whose a row is, or whether it is a reaction, `those_seen` has the rest.
    """
    viewer, declared = viewer_of(user), publisher.declaration
    rows = visible(viewer, publisher.rows_on(row.__class__, [row.pk]))
    condition = declared.should_publish
    if isinstance(condition, str) and last_field(publisher.model, condition) is not None:
        rows = rows.filter(**{condition.replace(".", "__"): True})
    people = isinstance(declared.user, str) and related_model(publisher.model, declared.user)
    if isinstance(declared.user, str) and people and issubclass(people, get_user_model()):
        path = declared.user.replace(".", "__")
        seen = visible(viewer, people._default_manager.all())
        rows = rows.filter(**{f"{path}__in": seen.order_by().values("pk")}).select_related(path)
    return rows


def those_seen(user: Any, publisher: ReactionPublisher, rows: Iterable[Any]) -> list[Any]:
    """What is left of rows that were read, where code tells whose they are or whether they are reactions."""
    found = [row for row in rows if _is_reaction(publisher, row)]
    hidden = by_hidden_authors(viewer_of(user), found)
    return [row for row in found if row not in hidden]


def _is_reaction(publisher: ReactionPublisher, row: models.Model) -> bool:
    message = "nobody can tell whether %s:%s is a reaction"
    return or_else(False, lambda: publisher.is_reaction(row), logger, message, row._meta.label, row.pk)
