"""Feeds: add, remove, add to many."""

from __future__ import annotations

from django_stream.protocol import limits
from django_stream.protocol.errors import invalid
from django_stream.server import feed_groups
from django_stream.server.actions import placements
from django_stream.server.activity_input import check_configured, drafts_of, feed_id_of, key_or_none
from django_stream.server.reads import activities, serializers
from django_stream.server.requests import Body, Call, batch


def add(call: Call) -> Body:
    feed_groups.group_of(call.application_id, call.feed_id.slug)
    fields = call.fields()
    several = "activities" in fields
    items = batch(fields["activities"], "activities", limits.ACTIVITIES_PER_REQUEST) if several else [fields]
    drafts = drafts_of(items, call.application_id)
    stored = placements.add(call.application_id, call.feed_id, drafts)
    shaped = [serializers.activity(activity) for activity in stored]
    return {"activities": shaped} if several else shaped[0]


def add_to_many(call: Call) -> Body:
    fields = call.fields()
    names = batch(fields.get("feeds"), "feeds", limits.FEEDS_PER_ADD_TO_MANY)
    targets = list(dict.fromkeys(feed_id_of(name, "feeds") for name in names))
    if not targets:
        raise invalid("feeds must name at least one feed", "feeds")
    check_configured(targets, call.application_id)
    draft = drafts_of([fields.get("activity")], call.application_id)[0]
    if draft.to:
        raise invalid("an activity that is added to many feeds has no 'to' of its own", "to")
    placements.add_to_many(call.application_id, targets, draft)
    return {}


def remove(call: Call) -> Body:
    feed_groups.group_of(call.application_id, call.feed_id.slug)
    named = call.captures["item"]
    if call.parameters.flag("foreign_id"):
        keys = activities.keys_of_foreign_id(call.application_id, named)
    else:
        # The id of a notification group is `<activity id>.<group>`.
        key = key_or_none(named.partition(".")[0])
        keys = [] if key is None else [key]
    placements.remove(call.application_id, call.feed_id, keys)
    return {"removed": named}
