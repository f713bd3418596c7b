"""Activities wherever they are: read and update."""

from __future__ import annotations

import uuid

from django_stream.protocol import limits
from django_stream.protocol.errors import invalid
from django_stream.server.actions import updates
from django_stream.server.activity_input import activity_inputs, key_of, key_or_none, moment_of
from django_stream.server.reads import activities, serializers
from django_stream.server.reads.enrichment.enrich import enriched
from django_stream.server.requests import Body, Call, batch


def read(call: Call) -> Body:
    """Read activities by id, or by foreign_id and time."""
    keys = _keys(call)
    if len(keys) > limits.ACTIVITIES_PER_REQUEST:
        raise invalid(f"at most {limits.ACTIVITIES_PER_REQUEST} activities can be read at once", "ids")
    found = activities.in_order(call.application_id, keys)
    listed = [serializers.activity(activity) for activity in found]
    # There is no next page: what comes after a full answer stays as it is stored.
    first = enriched(call, listed)
    return {"results": [*first, *listed[len(first) :]]}


def _keys(call: Call) -> list[uuid.UUID]:
    ids = call.parameters.listed("ids")
    if ids:
        return [key for value in ids if (key := key_or_none(value)) is not None]
    timestamps = call.parameters.listed("timestamps")
    foreign_ids = call.parameters.so_many("foreign_ids", len(timestamps))
    if not foreign_ids and not timestamps:
        raise invalid("ids, or foreign_ids with timestamps, are required", "ids")
    if len(foreign_ids) != len(timestamps):
        raise invalid("foreign_ids and timestamps must have the same length", "timestamps")
    moments = [moment_of(text, "timestamps") for text in timestamps]
    return [key_of(foreign_id, moment) for foreign_id, moment in zip(foreign_ids, moments, strict=True)]


def update(call: Call) -> Body:
    """Replace activities by foreign_id and time, on all their feeds."""
    items = batch(call.fields().get("activities"), "activities", limits.ACTIVITIES_PER_REQUEST)
    updates.replace(call.application_id, activity_inputs(items, call.application_id, identified=True))
    return {}
