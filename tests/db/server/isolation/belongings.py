"""All rows of one application, in words that do not depend on the numbers that the database gave."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from django.apps import apps

from django_stream.server.models import (
    ActivityGroup,
    ApiKey,
    Application,
    Feed,
    FileDeletion,
    Reaction,
    StoredFile,
)
from django_stream.server.models.timelines import FormerGroupEntry

Rows = dict[str, list[str]]

# `place` and `reaction`: numbers of rows, too. The others: when something was written.
_NUMBERS = ("id", "_state", "application_id", "place", "reaction", "entered_at", "past_changed_at")
# Former entries are known by the number of a group, which belongs to one feed and may be gone.
_TABLES = [
    model
    for model in apps.get_app_config("django_stream_server").get_models()
    if model not in (Application, ApiKey, FormerGroupEntry)
]


def belongings() -> dict[int, Rows]:
    """By the number of the application."""
    feeds = {feed.pk: feed for feed in Feed.objects.all()}
    reactions = {row.pk: row for row in Reaction.objects.all()}
    groups = {group.pk: group for group in ActivityGroup.objects.all()}
    found: dict[int, Rows] = defaultdict(lambda: defaultdict(list))

    def told(name: str, value: Any) -> Any:
        """A reference by what it refers to."""
        if name in ("feed", "feed_id", "source_id", "target_id") or (name == "via" and value > 0):
            return str(feeds[value])
        if name in ("parent_id", "deleted_with"):
            return value and reactions[value].reaction_id
        return groups[value].name if name == "group_id" else value

    for model in _TABLES:
        for row in model.objects.all():
            hidden = (*_NUMBERS, *_drawn_by_lot(row))
            fields = {name: value for name, value in vars(row).items() if name not in hidden}
            words = {name: told(name, value) for name, value in fields.items()}
            found[_owner(row, feeds, reactions)][model.__name__].append(repr(sorted(words.items())))
    return {number: {name: sorted(rows) for name, rows in tables.items()} for number, tables in found.items()}


def _drawn_by_lot(row: Any) -> tuple[str, ...]:
    """The fields that hold the secret name of a file."""
    if isinstance(row, StoredFile | FileDeletion):
        return ("key", "name")
    return ("entity_id",) if getattr(row, "entity_type", "") == "file" else ()


def _owner(row: Any, feeds: dict[int, Feed], reactions: dict[int, Reaction]) -> int:
    if hasattr(row, "application_id"):
        return row.application_id
    if hasattr(row, "parent_id"):
        return reactions[row.parent_id].application_id
    number = getattr(row, "feed_id", None) or getattr(row, "source_id", None) or row.feed
    return feeds[number].application_id
