"""Calls on activities wherever they are: read by id, update, change in part, add to many feeds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django_stream.client import times, validation
from django_stream.client.api import Api, Scope, merged
from django_stream.client.encoding import comma_joined, query_text
from django_stream.client.exceptions import ValidationError
from django_stream.client.reading import reaction_query
from django_stream.client.types import AddedActivities, Done, FoundActivities, Reactions
from django_stream.protocol import limits, scopes

_SCOPE: Scope = (scopes.ACTIVITIES, scopes.ANY)


class ActivityCalls:
    """The part of the client that is about activities."""

    api: Api

    def get_activities(
        self,
        ids: Iterable[object] | None = None,
        foreign_id_times: Iterable[tuple[str, datetime | str]] | None = None,
        enrich: bool = False,
        reactions: Reactions | None = None,
        **params: Any,
    ) -> FoundActivities:
        """Activities by id, or by (foreign_id, time), in the order asked for; unknown ones are left out."""
        if (ids is None) == (foreign_id_times is None):
            raise ValidationError("give either ids or foreign_id_times", "ids")
        enriched = enrich or reactions is not None
        shared = {**params, **reaction_query(reactions)}
        keys = validation.listed(ids, "ids") if ids is not None else _pairs(foreign_id_times)
        results = self.api.batches(
            keys,
            limits.ACTIVITIES_PER_REQUEST,
            lambda part: self.api.call(
                "GET",
                "enrich/activities/" if enriched else "activities/",
                _SCOPE,
                query={**shared, **(_by_ids(part) if ids is not None else _by_pairs(part))},
                decode=times.activity_results,
            ),
        )
        found: FoundActivities = merged(results, "results")
        return found

    def update_activities(self, activities: Iterable[Mapping[str, Any]]) -> Done:
        """Replace activities, known by foreign_id and time, or create them; 100 per request."""
        items = []
        for index, item in enumerate(validation.listed(activities, "activities")):
            data = validation.activity(item, f"activities[{index}]")
            if not validation.identified(data):
                raise ValidationError(f"activities[{index}] lacks foreign_id or time", "foreign_id")
            items.append(data)
        results = self.api.batches(
            items,
            limits.ACTIVITIES_PER_REQUEST,
            lambda part: self.api.call(
                "POST", "activities/", _SCOPE, body={"activities": part}, repeatable=True
            ),
        )
        done: Done = results[-1]
        return done

    def update_activity(self, activity: Mapping[str, Any]) -> Done:
        """Replace one activity, known by foreign_id and time, or create it."""
        return self.update_activities([activity])

    def activity_partial_update(
        self,
        id: object = None,
        foreign_id: str | None = None,
        time: datetime | str | None = None,
        set: Mapping[str, Any] | None = None,
        unset: Iterable[str] | None = None,
    ) -> AddedActivities:
        """Set and unset some fields (dotted paths) of the activity with this id, or foreign_id and time."""
        address = {"id": id, "foreign_id": foreign_id, "time": time}
        update = {
            **{name: value for name, value in address.items() if value is not None},
            "set": set or {},
            "unset": list(validation.listed(unset or [], "unset")),
        }
        return self.activities_partial_update([update])

    def activities_partial_update(
        self, updates: Iterable[Mapping[str, Any]] | None = None
    ) -> AddedActivities:
        """Several partial updates, 100 per request, in this order."""
        changes = [validation.change(update) for update in validation.listed(updates or [], "updates")]
        results = self.api.batches(
            changes,
            limits.CHANGES_PER_REQUEST,
            lambda part: self.api.call(
                "POST",
                "activity/",
                _SCOPE,
                body={"changes": part},
                decode=times.activities,
                repeatable=True,
            ),
        )
        changed: AddedActivities = merged(results, "activities")
        return changed

    def add_to_many(self, activity: Mapping[str, Any], feeds: Iterable[str]) -> Done:
        """Add one activity to many feeds, but not to their followers; 5,000 feeds per request.

        More feeds need an activity with foreign_id and time: only these make it the same one everywhere.
        """
        data = validation.activity(activity)
        targets = validation.feed_list(feeds, "feeds")
        same_everywhere = validation.identified(data)
        if not same_everywhere:
            validation.at_most(targets, limits.FEEDS_PER_ADD_TO_MANY, "feeds (without foreign_id and time)")
        results = self.api.batches(
            targets,
            limits.FEEDS_PER_ADD_TO_MANY,
            lambda part: self.api.call(
                "POST",
                "feed/add_to_many/",
                (scopes.FEED, scopes.ANY),
                body={"activity": data, "feeds": part},
                repeatable=same_everywhere,
            ),
        )
        done: Done = results[-1]
        return done


def _pairs(pairs: Any) -> list[tuple[Any, Any]]:
    items = validation.listed(pairs, "foreign_id_times")
    for item in items:
        if not isinstance(item, list | tuple) or len(item) != 2:
            raise ValidationError(f"{item!r} is not a pair of foreign_id and time", "foreign_id_times")
    return items


def _by_ids(ids: Any) -> dict[str, str]:
    return {"ids": comma_joined("ids", ids)}


def _by_pairs(pairs: Any) -> dict[str, Any]:
    ids, moments = (query_text("foreign_id_times", [pair[place] for pair in pairs]) or [] for place in (0, 1))
    if not any("," in text for text in ids):
        return {"foreign_ids": comma_joined("foreign_ids", ids), "timestamps": ",".join(moments)}
    # The hosted service knows no foreign_id with a comma. Ours does, where each of several is a value of its
    # own; the same one twice is found once.
    times = 2 if len(pairs) == 1 else 1
    return {"foreign_ids": [*ids] * times, "timestamps": [*moments] * times}
