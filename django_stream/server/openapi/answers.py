"""What each endpoint answers; endpoints that are not listed answer an empty object."""

from __future__ import annotations

from django_stream.server.endpoints import ENDPOINTS
from django_stream.server.openapi.objects import FREE, TEXT, Schema, fields, listed, ref
from django_stream.server.streams.refusals import is_about_streams

_NUMBER: Schema = {"type": "integer"}
_ACTIVITIES = fields(("activities",), activities=listed(ref("Activity")))
_FOLLOWS = fields(("results",), results=listed(ref("Follow")))
_REACTIONS = fields(
    ("results", "next"),
    results=listed(ref("Reaction")),
    next=TEXT,
    activity={"anyOf": [ref("EnrichedActivity"), ref("MissingObject")]},
)
_FILE, _URL = fields(("file",), file=TEXT), fields(("url",), url=TEXT)
_SEVERAL: Schema = {"anyOf": [ref("Activity"), _ACTIVITIES]}


def _page(activity: str) -> Schema:
    entry: Schema = {"anyOf": [ref(activity), ref("ActivityGroup"), ref("NotificationGroup")]}
    return fields(("results", "next"), results=listed(entry), next=TEXT, unseen=_NUMBER, unread=_NUMBER)


ANSWERS: dict[tuple[str, str], Schema] = {
    ("GET", "feed/{feed}"): _page("Activity"),
    ("GET", "enrich/feed/{feed}"): _page("EnrichedActivity"),
    ("POST", "feed/{feed}"): _SEVERAL,
    ("DELETE", "feed/{feed}/{item...}"): fields(removed=TEXT),
    ("POST", "feed_targets/{feed}/activity_to_targets"): fields(
        ("activity", "added", "removed"), activity=ref("Activity"), added=listed(TEXT), removed=listed(TEXT)
    ),
    ("GET", "feed/{feed}/followers"): _FOLLOWS,
    ("GET", "feed/{feed}/follows"): _FOLLOWS,
    ("GET", "feed/{feed}/following"): _FOLLOWS,
    ("GET", "stats/follow"): fields(("results",), results=ref("FollowCounts")),
    ("GET", "activities"): fields(("results",), results=listed(ref("Activity"))),
    ("GET", "enrich/activities"): fields(("results",), results=listed(ref("EnrichedActivity"))),
    ("POST", "activity"): _SEVERAL,
    ("GET", "audit_logs"): fields(
        ("audit_logs", "next", "prev"), audit_logs=listed(ref("AuditLog")), next=TEXT, prev=TEXT
    ),
    ("GET", "data_privacy/export_ids/{user...}"): fields(
        ("export", "next"), export=ref("ExportedIds"), next=TEXT
    ),
    ("POST", "moderation/flag"): ref("Flag"),
    ("POST", "moderation/status/batch"): fields(("results",), results=listed(ref("ModerationUpdate"))),
    ("POST", "reaction"): ref("Reaction"),
    ("GET", "reaction/get_many"): fields(("reactions",), reactions=listed(ref("Reaction"))),
    ("GET", "reaction/{reaction}"): ref("Reaction"),
    ("PUT", "reaction/{reaction}"): ref("Reaction"),
    ("GET", "reaction/{lookup}/{value}"): _REACTIONS,
    ("GET", "reaction/{lookup}/{value}/{kind...}"): _REACTIONS,
    ("POST", "user"): ref("User"),
    ("GET", "user/{user...}"): ref("User"),
    ("PUT", "user/{user...}"): ref("User"),
    ("POST", "users"): fields(("created_users",), created_users=listed(ref("User"))),
    ("GET", "users"): fields(("users",), users=listed(ref("User"))),
    ("DELETE", "users"): fields(("deleted_user_ids",), deleted_user_ids=listed(TEXT)),
    ("POST", "collections"): fields(("data",), data=FREE),
    ("GET", "collections"): fields(
        ("response",), response=fields(("data",), data=listed(ref("CollectionEntry")))
    ),
    ("POST", "collections/{collection}"): ref("CollectionEntry"),
    ("GET", "collections/{collection}/{entry}"): ref("CollectionEntry"),
    ("PUT", "collections/{collection}/{entry}"): ref("CollectionEntry"),
    ("POST", "files"): _FILE,
    ("POST", "images"): _FILE,
    ("GET", "images"): _FILE,
    ("POST", "files/refresh"): _URL,
    ("POST", "images/refresh"): _URL,
    ("GET", "og"): FREE,
}
_OF_STREAMS = fields(("meta", "data"), meta=FREE)
for endpoint in ENDPOINTS:
    if is_about_streams(endpoint.pattern):
        ANSWERS[endpoint.method, endpoint.pattern] = _OF_STREAMS
for method in ("POST", "GET"):
    ANSWERS[method, "meta"] = ANSWERS[method, "collections"]
