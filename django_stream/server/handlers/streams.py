"""App Streams: streams and filters, for the application's own server."""

from __future__ import annotations

import json
import re
from typing import Any

from django_stream.server.actions import streams as actions
from django_stream.server.object_types import NAMES, kind_of
from django_stream.server.reads.enrichment.options import base_url
from django_stream.server.requests import Body, Call
from django_stream.server.streams import filters, find, polling, shapes, status
from django_stream.server.streams.admission import Admission, position_of
from django_stream.server.streams.refusals import refuse
from django_stream.server.streams.subscriptions import Subscription

_KEY = re.compile(r"\w{1,32}", re.ASCII)


def create(call: Call) -> Body:
    """Create a stream of the application."""
    return shapes.one(_shape(call, actions.create(call.application_id, _all_fields(_object(call)))))


def read_all(call: Call) -> Body:
    """List the application's streams, or the one with a `key`."""
    rows = find.streams(call.application_id)
    if call.parameters.given("key"):
        rows = rows.filter(key=call.parameters.text("key"))
    return shapes.many([_shape(call, row) for row in rows])


def read(call: Call) -> Body:
    """Read a stream by its id or its key."""
    return shapes.one(_shape(call, find.stream(call.application_id, call.captures["stream"])))


def read_status(call: Call) -> Body:
    """Tell how a stream's readers are doing: how many, their lag, and what was sent."""
    return shapes.one(status.of(find.stream(call.application_id, call.captures["stream"])))


def read_events(call: Call) -> Body:
    """Some events that follow `last_event_id`, or the last one that was delivered."""
    stream = find.stream(call.application_id, call.captures["stream"])
    position = position_of(stream, call.parameters.text("last_event_id"), purge=call.parameters.flag("purge"))
    page = polling.poll(Admission(Subscription.of(stream), stream.key, position), keeps_cursor=True)
    meta: shapes.Shape = {"code": 200, "last_event_id": str(page.position), "more": page.more}
    if page.gap is not None:
        meta["gap"] = page.gap
    return {"meta": meta, "data": [json.loads(frame.text) for frame in page.frames]}


def update(call: Call) -> Body:
    """Replace a stream's fields; `object_types` alone leaves the others."""
    given = _object(call)
    # Clients of pnut can change nothing else, and mean to keep the rest.
    only_types = set(given) & {"object_types", "type", "filter_id", "key"} == {"object_types"}
    fields = {"object_types": _object_types(given)} if only_types else _all_fields(given)
    return shapes.one(_shape(call, actions.update(call.application_id, call.captures["stream"], fields)))


def delete(call: Call) -> Body:
    """Delete a stream; its readers are disconnected."""
    gone = actions.delete(call.application_id, call.captures["stream"])
    return shapes.one(_shape(call, gone, is_deleted=True))


def delete_all(call: Call) -> Body:
    """Delete all streams of the application."""
    gone = actions.delete_all(call.application_id)
    return shapes.many([_shape(call, row, is_deleted=True) for row in gone])


def create_filter(call: Call) -> Body:
    """Create a filter that streams can use."""
    fields = filters.fields_of(_object(call))
    return shapes.one(shapes.filter_(actions.create_filter(call.application_id, fields)))


def read_filters(call: Call) -> Body:
    """List the application's filters."""
    return shapes.many([shapes.filter_(row) for row in find.filters(call.application_id)])


def read_filter(call: Call) -> Body:
    """Read a filter."""
    return shapes.one(shapes.filter_(find.filter_(call.application_id, call.captures["filter"])))


def replace_filter(call: Call) -> Body:
    """Replace a filter, in all streams that use it."""
    fields = filters.fields_of(_object(call))
    row = actions.replace_filter(call.application_id, call.captures["filter"], fields)
    return shapes.one(shapes.filter_(row))


def delete_filter(call: Call) -> Body:
    """Delete a filter that no stream uses."""
    gone = actions.delete_filter(call.application_id, call.captures["filter"])
    return shapes.one(shapes.filter_(gone, is_deleted=True))


def delete_filters(call: Call) -> Body:
    """Delete all filters of the application, if no stream uses one."""
    gone = actions.delete_all_filters(call.application_id)
    return shapes.many([shapes.filter_(row, is_deleted=True) for row in gone])


def _shape(call: Call, row: Any, *, is_deleted: bool = False) -> shapes.Shape:
    return shapes.stream(row, base_url(call.origin), is_deleted=is_deleted)


def _object(call: Call) -> dict[str, Any]:
    kind = call.request.headers.get("Content-Type", "application/json").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise refuse("invalid-json", f"the body must be application/json, not {kind or 'without a type'}")
    if not isinstance(call.body, dict):
        raise refuse("invalid-json", "the body must be a JSON object")
    return call.body


def _all_fields(given: dict[str, Any]) -> dict[str, Any]:
    if given.get("type", "long_poll") != "long_poll":
        raise refuse("invalid-type", "type must be 'long_poll'")
    return {
        "object_types": _object_types(given),
        "filter_id": _filter_id(given.get("filter_id")),
        "key": _key(given.get("key")),
    }


def _object_types(given: dict[str, Any]) -> list[str]:
    names = given.get("object_types")
    if not isinstance(names, list) or not names:
        raise refuse("invalid-object-types", "object_types must be a list of one or more types")
    for name in names:
        if kind_of(name) is None:
            known = ", ".join(NAMES)
            raise refuse("invalid-object-types", f"object_types: there is no {name!r}, only {known}")
    return list(dict.fromkeys(names))


def _filter_id(given: Any) -> str | None:
    if given is None:
        return None
    if isinstance(given, bool) or not isinstance(given, str | int):
        raise refuse("invalid-filter", "filter_id must be the id of a filter")
    return str(given)


def _key(given: Any) -> str | None:
    if given is None:
        return None
    text = str(given) if isinstance(given, int) and not isinstance(given, bool) else given
    if not isinstance(text, str) or not _KEY.fullmatch(text):
        raise refuse("invalid-key", "key must be 1 to 32 letters, digits or underscores")
    return text
