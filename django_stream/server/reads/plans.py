"""Whether indexes serve the statements that each request makes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.apps import apps
from django.db.models import QuerySet

from django_stream.database.plans import invalid_indexes, missing_indexes, reads_all
from django_stream.server.feed_store import database
from django_stream.server.models import Activity, ActivityGroup, Follow, Placement, Reaction, TimelineEntry
from django_stream.server.models.reactions import LISTED_BY_KIND, TOP_LEVEL, VISIBLE

_KEY = UUID(int=0)


def slow_statements(application_id: int) -> Iterator[str]:
    """Indexes that are missing or not valid, and main statements that read a whole table, in words."""
    models = list(apps.get_app_config("django_stream_server").get_models())
    for model in models:
        for name in missing_indexes(model, database()):
            yield f"the index {name} of {model._meta.db_table} is missing"
    for name in invalid_indexes(models, database()):
        yield f"the index {name} is not valid"
    for what, rows in _main_statements(application_id):
        if reads_all(rows):
            yield f"{what} reads the whole table {rows.model._meta.db_table}"


def _main_statements(application_id: int) -> Iterator[tuple[str, QuerySet[Any]]]:
    using = database()
    mine = {"application_id": application_id}
    yield "a page of a feed", TimelineEntry.objects.using(using).filter(feed=1).order_by("-key")[:25]
    yield "a page of groups", ActivityGroup.objects.using(using).filter(feed=1).order_by("-newest")[:25]
    yield "a fan-out", Follow.objects.using(using).filter(target_id=1).order_by("pk")[:500]
    yield "a removal", Placement.objects.using(using).filter(key=_KEY)
    yield "an update", Activity.objects.using(using).filter(**mine, key=_KEY)
    reactions = Reaction.objects.using(using).filter(LISTED_BY_KIND, **mine, activity=_KEY, kind="like")
    yield "reactions of a page", reactions.filter(VISIBLE, TOP_LEVEL).order_by("-pk")[:5]
