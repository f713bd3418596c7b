"""How many reactions activities have: read from the counters that every write keeps."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterator, Mapping
from typing import Any, TypeAlias

from django.db.models import Count, Sum

from django_stream.database.conditions import equal, one_of
from django_stream.database.statements import Database
from django_stream.database.transactions import database_to_read
from django_stream.protocol.activity_ids import from_sort_key
from django_stream.server.activity_rows import read_key
from django_stream.server.models import Reaction, ReactionCount, ReactionCountChange
from django_stream.server.models.reactions import LISTED, TOP_LEVEL, VISIBLE

Counts = Mapping[uuid.UUID, Mapping[str, int]]
"""{sort key of an activity: {kind: how many}}; activities without reactions may be missing."""


Moment: TypeAlias = tuple[int, int]
"""The numbers of the newest reaction and of the newest change of counts."""


def newest() -> Moment:
    return _newest(Reaction), _newest(ReactionCountChange)


def of(application_id: int, keys: Collection[uuid.UUID], *, at: Moment | None = None) -> Counts:
    """How many there are, or were `at` a moment."""
    if not keys:
        return {}
    ids = {from_sort_key(key): key for key in keys}
    found = Database.to_read(ReactionCount).select(
        ReactionCount,
        ["activity", "kind", "count"],
        equal("application_id", application_id),
        one_of("activity", [activity.hex for activity in ids], uuids=True),
    )
    counts: dict[uuid.UUID, dict[str, int]] = {}
    for activity, kind, count in found:
        counts.setdefault(ids[read_key(activity)], {})[kind] = count
    for activity, kind, count in () if at is None else _since(application_id, ids, at):
        kinds = counts.setdefault(ids[activity], {})
        kinds[kind] = max(kinds.get(kind, 0) - count, 0)
    return counts


def _since(
    application_id: int, activities: Collection[uuid.UUID], moment: Moment
) -> Iterator[tuple[uuid.UUID, str, int]]:
    """By how much counts have changed since: by what is new, by what went and by what came back."""
    reaction, change = moment
    of_these: dict[str, Any] = {"application_id": application_id, "activity__in": activities}
    added = Reaction.objects.using(database_to_read(Reaction)).filter(
        VISIBLE, TOP_LEVEL, LISTED, pk__gt=reaction, **of_these
    )
    yield from added.values_list("activity", "kind").annotate(count=Count("pk"))
    changed = ReactionCountChange.objects.using(database_to_read(ReactionCountChange)).filter(
        pk__gt=change, reaction__lte=reaction, **of_these
    )
    yield from changed.values_list("activity", "kind").annotate(count=Sum("step"))


def _newest(model: type[Reaction | ReactionCountChange]) -> int:
    rows = model._default_manager.using(database_to_read(model))
    return rows.order_by("-pk").values_list("pk", flat=True).first() or 0
