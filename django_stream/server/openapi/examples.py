"""A request for each endpoint that works, one after the other, for those who read the description.

They tell one story: Ada's post with its reactions, and what is known of her.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django_stream.protocol.activity_ids import activity_id
from django_stream.protocol.times import format_activity_time

_MOMENT = datetime(2026, 1, 31, 12, tzinfo=UTC)
FOREIGN_ID, TIME = "post:1", format_activity_time(_MOMENT)
ACTIVITY = str(activity_id(_MOMENT, FOREIGN_ID))
REACTION = "5b2f0f3e-6a52-4a3c-9d36-0d1f1c2b7a10"
USER, COLLECTION, ENTRY = "ada", "food", "pie"

POST: dict[str, Any] = {
    "actor": f"SU:{USER}",
    "verb": "post",
    "object": f"SO:{COLLECTION}:{ENTRY}",
    "foreign_id": FOREIGN_ID,
    "time": TIME,
    "popularity": 3,
}
_FOLLOW = {"target": "user:grace", "activity_copy_limit": 50}
_PAIRS = [{"source": "timeline:ada", "target": "user:grace"}]
_ENTITY = {"entity_type": "stream:user", "entity_id": USER}
_URL = {"url": "https://feeds.example.com/api/v1.0/media/key/picture.png"}
_DATA = {"data": {"name": "Apple pie"}}

BODIES: dict[tuple[str, str], Any] = {
    ("POST", "feed/{feed}"): POST,
    ("POST", "feed/add_to_many"): {"activity": POST, "feeds": ["user:ada", "timeline:grace"]},
    ("POST", "feed_targets/{feed}/activity_to_targets"): {
        "foreign_id": FOREIGN_ID,
        "time": TIME,
        "added_targets": ["notification:grace"],
    },
    ("POST", "feed/{feed}/follows"): _FOLLOW,
    ("POST", "feed/{feed}/following"): _FOLLOW,
    ("POST", "follow_many"): _PAIRS,
    ("POST", "unfollow_many"): _PAIRS,
    ("POST", "activities"): {"activities": [POST | {"popularity": 4}]},
    ("POST", "activity"): {"id": ACTIVITY, "set": {"popularity": 5}, "unset": ["mood"]},
    ("POST", "data_privacy/delete_activities"): {"activities": [{"id": ACTIVITY}]},
    ("POST", "data_privacy/delete_reactions"): {"ids": [REACTION], "soft": True},
    ("POST", "moderation/flag"): {**_ENTITY, "user_id": "grace", "reason": "spam", "custom": {"page": 1}},
    ("POST", "moderation/status"): {**_ENTITY, "moderator_id": "grace", "status": "complete"},
    ("POST", "moderation/status/batch"): {
        "moderator_id": "grace",
        "updates": [{**_ENTITY, "status": "complete"}],
    },
    ("POST", "reaction"): {
        "kind": "comment",
        "activity_id": ACTIVITY,
        "user_id": USER,
        "data": {"text": "well done"},
    },
    ("PUT", "reaction/{reaction}"): {"data": {"text": "very well done"}},
    ("POST", "user"): {"id": USER, "data": {"name": "Ada"}},
    ("PUT", "user/{user...}"): {"data": {"name": "Ada Lovelace"}},
    ("POST", "users"): {"users": [{"id": USER, "data": {"name": "Ada"}}], "override": True},
    ("POST", "collections"): {"data": {COLLECTION: [{"id": ENTRY, "name": "Apple pie"}]}},
    ("POST", "collections/{collection}"): _DATA,
    ("PUT", "collections/{collection}/{entry}"): _DATA,
    ("POST", "files/refresh"): _URL,
    ("POST", "images/refresh"): _URL,
}
BODIES["POST", "meta"] = BODIES["POST", "collections"]
STREAM, FILTER = "search", "7"
_STREAM = {"object_types": ["activity", "follow"], "key": "indexer"}
_CLAUSES = [{"object_type": "activity", "operator": "matches", "field": "/data/verb", "value": "post"}]
_FILTER = {"name": "Posts alone", "match_policy": "include_any", "clauses": _CLAUSES}
BODIES |= {
    ("POST", "streams"): _STREAM,
    ("PUT", "streams/{stream}"): {"object_types": ["activity"]},
    ("PUT", "streams/{stream}/webhook"): {"url": "https://search.example.com/events"},
    ("POST", "streams/{stream}/webhook/dead_letters"): {},
    ("POST", "filters"): _FILTER,
    ("PUT", "filters/{filter}"): _FILTER,
}
PATH: dict[str, str] = {
    "slug": "user",
    "user_id": USER,
    "target": "user:grace",
    "item": ACTIVITY,
    "user": USER,
    "reaction": REACTION,
    "lookup": "activity_id",
    "value": ACTIVITY,
    "kind": "comment",
    "collection": COLLECTION,
    "entry": ENTRY,
    "stream": STREAM,
    "filter": FILTER,
}
"""A value for each name in a path."""
QUERIES: dict[str, str] = {
    "ids": ACTIVITY,
    "followers": "user:ada",
    "entity_type": "user",
    "entity_id": USER,
    "foreign_ids": f"{COLLECTION}:{ENTRY}",
    "collection_name": COLLECTION,
    "url": _URL["url"],
}
"""A value for those names in a query without which there is no answer, where no other value is told."""
QUERIES_OF: dict[tuple[str, str], dict[str, Any]] = {
    ("POST", "user"): {"get_or_create": True},
    ("GET", "reaction/get_many"): {"ids": REACTION},
    ("GET", "users"): {"ids": USER},
    ("DELETE", "users"): {"ids": USER},
    ("DELETE", "collections"): {"ids": ENTRY},
}
