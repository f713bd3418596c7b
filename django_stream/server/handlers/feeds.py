"""Feeds: read a page (flat, ranked, aggregated, notification), add, add to many, remove."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from typing import Any

from django_stream.protocol import limits, wire
from django_stream.protocol.errors import invalid
from django_stream.server import feed_groups
from django_stream.server.actions import notification_marks, placements, removal_jobs, removals
from django_stream.server.activity_input import activity_inputs, check_configured, feed_id_of, key_or_none
from django_stream.server.aggregation.formats import check_format
from django_stream.server.feed_groups import FeedGroup
from django_stream.server.reads import activity_groups, feeds, ranked, serializers
from django_stream.server.reads.activity_groups import place_id, wire_id
from django_stream.server.reads.enrichment.enrich import enriched
from django_stream.server.reads.windows import (
    BOUNDS,
    conflicting,
    grouped_window_of,
    next_by_id,
    next_by_offset,
    refuse_order,
    window_of,
)
from django_stream.server.requests import Body, Call, batch
from django_stream.server.timelines.base import Mark, Marked

# Names of groups may hold commas: a comma ends an id only where another id begins.
_BETWEEN_MARKS = re.compile(
    r",(?=\s*[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?:\.|\s*(?:,|$)))", re.IGNORECASE
)

_FILTERS = ("verb", "actor")

_SHORTENED = re.compile(r"^(\w[\w+.-]*):/(?!/)", re.ASCII)


def read(call: Call) -> Body:
    """Read a page of a feed."""
    feed_group = feed_groups.group_of(call.application_id, call.feed_id.slug)
    external = call.parameters.json_object("ranking_vars", "rankingVars")
    if feed_group.grouped:
        return _grouped(call, feed_group)
    return _ranked(call, feed_group, external) if call.parameters.text("ranking") else _flat(call)


def _flat(call: Call) -> Body:
    window = window_of(call)
    page = feeds.page(call.application_id, call.feed_id, window, _filter_of(call))
    results = enriched(call, [serializers.activity(row) for row in page.items])
    is_cut = len(results) < len(page.items)
    last = results[-1]["id"] if is_cut else page.last_id
    return {"results": results, "next": next_by_id(call, last, window.limit) if page.more or is_cut else ""}


def _filter_of(call: Call) -> feeds.Keep | None:
    """What the filtering parameters leave over; None when there are none."""
    separator = call.parameters.text("discard_actors_sep") or ","
    actors = {actor for actor in call.parameters.text("discard_actors").split(separator) if actor}
    without_erased = call.parameters.flag("discard_deleted_activities")
    wanted = {name: frozenset(call.parameters.texts(name)) for name in _FILTERS if call.parameters.text(name)}
    if not actors and not without_erased and not wanted:
        return None
    return lambda activity: (
        activity.actor not in actors
        and not (without_erased and activity.is_erased)
        and all(getattr(activity, name) in values for name, values in wanted.items())
    )


def _ranked(call: Call, feed_group: FeedGroup, external: dict[str, Any]) -> Body:
    refuse_order(call)
    if call.parameters.given(*_FILTERS):
        raise conflicting("a ranked feed is not filtered by verb or actor")
    if call.parameters.given(*BOUNDS):
        raise conflicting("a ranked feed is paged by limit and offset, not by ids")
    window = window_of(call)
    page = ranked.page(
        call.application_id,
        call.feed_id,
        feed_group,
        call.parameters.text("ranking"),
        external,
        limit=window.limit,
        offset=window.offset,
        session=call.parameters.text("session"),
    )
    shaped = [serializers.activity(entry.activity) for entry in page.entries]
    with_variables = call.parameters.flag("withScoreVars", "with_score_vars")
    for activity, entry in zip(shaped, page.entries, strict=True):
        activity["score"] = entry.score
        if with_variables:
            activity["score_vars"] = dict(entry.variables)
    results = enriched(call, shaped)
    is_cut = len(results) < len(shaped)
    end = window.offset + (len(results) if is_cut else window.limit)
    following = next_by_offset(call, end, window.limit, page.session) if page.more or is_cut else ""
    return {"results": results, "next": following}


def _grouped(call: Call, feed_group: FeedGroup) -> Body:
    check_format(feed_group.aggregation_format)
    refuse_order(call)
    window = grouped_window_of(call)
    page = activity_groups.page(call.application_id, call.feed_id, feed_group, window, _filter_of(call))
    # Enrichment sees all activities of the page at once, to fetch what they need together.
    shaped = [serializers.activity(row) for _, items in page.groups for row in items]
    listed = enriched(call, shaped)
    is_cut = len(listed) < len(shaped)
    activities: Iterator[wire.Activity | wire.EnrichedActivity] = iter(listed)
    filled = [(group, [*islice(activities, len(items))]) for group, items in page.groups]
    notification = feed_group.kind == "notification"
    serialized = serializers.notification_group if notification else serializers.activity_group
    # A full answer has fewer groups, and perhaps fewer activities of its last one.
    results = [
        serialized(group, wire_id(group, feed_group), items) for group, items in filled if items or not is_cut
    ]
    last = place_id(filled[len(results) - 1][0], feed_group) if is_cut else page.last_id
    following = next_by_id(call, last, window.limit, page.as_of) if page.more or is_cut else ""
    body: dict[str, Any] = {"results": results, "next": following}
    if notification:
        body |= {"unseen": page.unseen, "unread": page.unread}
        _mark(call)
    return body


def _mark(call: Call) -> None:
    """Mark groups after the page was read: the answer shows their state before."""
    marks = {name: _groups_to_mark(call, f"mark_{name}") for name in ("seen", "read", "unread")}
    notification_marks.mark(call.application_id, call.feed_id, **marks)


def _groups_to_mark(call: Call, name: str) -> Marked:
    """`true`, or a list of group ids: on notification feeds `<activity id>.<group>`."""
    joined = ",".join(call.parameters.texts(name))
    if joined.strip().lower() in ("true", "1", "t", "all"):
        return "all"
    parts = (part.partition(".") for part in _BETWEEN_MARKS.split(joined))
    return [Mark(key, name) for text, _, name in parts if (key := key_or_none(text.strip())) is not None]


def add(call: Call) -> Body:
    """Post one activity or several to a feed."""
    feed_groups.group_of(call.application_id, call.feed_id.slug)
    fields = call.fields()
    several = "activities" in fields
    items = batch(fields["activities"], "activities", limits.ACTIVITIES_PER_REQUEST) if several else [fields]
    new_activities = activity_inputs(items, call.application_id)
    stored = placements.add(call.application_id, call.feed_id, new_activities)
    shaped = [serializers.activity(activity) for activity in stored]
    return {"activities": shaped} if several else shaped[0]


def add_to_many(call: Call) -> Body:
    """Post one activity to many feeds, but not to their followers."""
    fields = call.fields()
    names = batch(fields.get("feeds"), "feeds", limits.FEEDS_PER_ADD_TO_MANY)
    targets = list(dict.fromkeys(feed_id_of(name, "feeds") for name in names))
    if not targets:
        raise invalid("feeds must name at least one feed", "feeds")
    check_configured(targets, call.application_id)
    new_activity = activity_inputs([fields.get("activity")], call.application_id)[0]
    placements.add_to_many(call.application_id, targets, new_activity)
    return {}


def remove(call: Call) -> Body:
    """Take an activity off a feed; from the feed it was posted to, it goes everywhere."""
    feed_groups.group_of(call.application_id, call.feed_id.slug)
    named, whose = call.captures["item"], (call.application_id, call.feed_id)
    if not call.parameters.flag("foreign_id"):
        # The id of a notification group is `<activity id>.<group>`.
        key = key_or_none(named.strip("/").partition(".")[0])
        there = key is not None and removals.remove(*whose, [key])
        return {"removed": named.strip("/")} if there else {}
    # Some clients make one slash of two: of those before the data, and of those inside an address.
    for name in dict.fromkeys((named, named.lstrip("/"), _SHORTENED.sub(r"\1://", named))):
        if name and removal_jobs.remove(*whose, name):
            return {"removed": name}
    return {}
