"""What each endpoint takes in its body and query; endpoints that are not listed take any object."""

from __future__ import annotations

from django_stream.protocol import limits
from django_stream.server.openapi.objects import (
    COPY_LIMIT,
    FEED_ID,
    FREE,
    TEXT,
    TIME,
    WORD,
    Schema,
    fields,
    listed,
    ref,
)

_FLAG: Schema = {"type": "boolean"}
_NUMBER: Schema = {"type": "integer", "minimum": 0}
_PAGE: Schema = {"type": "integer", "minimum": 0, "maximum": limits.PAGE_MAX, "default": limits.PAGE_DEFAULT}
_ENTITY = {"entity_type": TEXT, "entity_id": TEXT}
_DECISION = {"status": TEXT, "recommended_action": TEXT, "latest_moderator_action": TEXT}
_FOLLOW = fields(("target",), target=FEED_ID, activity_copy_limit=COPY_LIMIT)
_PAIR = fields(("source", "target"), source=FEED_ID, target=FEED_ID)

BODIES: dict[tuple[str, str], Schema] = {
    ("POST", "feed/{feed}"): {
        "oneOf": [
            ref("NewActivity"),
            fields(("activities",), activities=listed(ref("NewActivity"), limits.ACTIVITIES_PER_REQUEST)),
        ]
    },
    ("POST", "feed/add_to_many"): fields(
        ("activity", "feeds"),
        activity=ref("NewActivity"),
        feeds=listed(FEED_ID, limits.FEEDS_PER_ADD_TO_MANY),
    ),
    ("POST", "feed_targets/{feed}/activity_to_targets"): ref("Retargeting"),
    ("POST", "feed/{feed}/follows"): _FOLLOW,
    ("POST", "feed/{feed}/following"): _FOLLOW,
    ("POST", "follow_many"): listed(_PAIR, limits.FOLLOWS_PER_REQUEST),
    ("POST", "unfollow_many"): listed(_PAIR, limits.FOLLOWS_PER_REQUEST),
    ("POST", "activities"): fields(
        ("activities",), activities=listed(ref("NewActivity"), limits.ACTIVITIES_PER_REQUEST)
    ),
    ("POST", "activity"): {
        "oneOf": [
            ref("Change"),
            fields(("changes",), changes=listed(ref("Change"), limits.CHANGES_PER_REQUEST)),
        ]
    },
    ("POST", "data_privacy/delete_activities"): fields(
        ("activities",),
        activities=listed(
            fields(("id",), id=TEXT, remove_from_feeds=listed(FEED_ID, limits.TARGETS_PER_ACTIVITY))
        ),
    ),
    ("POST", "moderation/flag"): fields(
        ("entity_type", "entity_id", "user_id"), **_ENTITY, user_id=TEXT, reason=TEXT, custom=FREE
    ),
    ("POST", "moderation/status"): fields(
        ("entity_type", "entity_id", "moderator_id"), **_ENTITY, moderator_id=TEXT, **_DECISION
    ),
    ("POST", "moderation/status/batch"): fields(
        ("moderator_id", "updates"),
        moderator_id=TEXT,
        updates=listed(fields(("entity_type", "entity_id"), **_ENTITY, **_DECISION), 100),
    ),
}
_BOUNDS = dict.fromkeys(("id_lt", "id_lte", "id_gt", "id_gte"), TEXT)
_FOLLOWS = {
    "limit": _PAGE,
    "offset": _NUMBER | {"maximum": limits.FOLLOW_OFFSET_MAX},
    "filter": TEXT,
}
PATH: dict[str, Schema] = {
    "slug": WORD,
    "user_id": WORD,
    "target": FEED_ID,
    "collection": WORD,
    "lookup": {"type": "string", "enum": ["activity_id", "reaction_id", "user_id"]},
}
"""What stands for a name in a path; any text where a name is not listed."""
QUERIES: dict[tuple[str, str], dict[str, Schema]] = {
    ("GET", "feed/{feed}"): {
        "limit": _PAGE,
        "offset": _NUMBER | {"maximum": limits.OFFSET_MAX},
        **_BOUNDS,
        "ranking": TEXT,
        "ranking_vars": TEXT,
        "withScoreVars": _FLAG,
        "mark_read": TEXT,
        "mark_seen": TEXT,
        "mark_unread": TEXT,
        "order": {"type": "string", "enum": ["newest", "oldest"]},
        "verb": TEXT,
        "actor": TEXT,
        "discard_actors": TEXT,
        "discard_deleted_activities": _FLAG,
    },
    ("DELETE", "feed/{feed}/{item...}"): {"foreign_id": _FLAG},
    ("GET", "feed/{feed}/followers"): _FOLLOWS,
    ("GET", "feed/{feed}/follows"): _FOLLOWS,
    ("GET", "feed/{feed}/following"): _FOLLOWS,
    ("DELETE", "feed/{feed}/follows/{target}"): {"keep_history": _FLAG},
    ("DELETE", "feed/{feed}/following/{target}"): {"keep_history": _FLAG},
    ("GET", "activities"): {"ids": TEXT, "foreign_ids": TEXT, "timestamps": TIME},
    ("GET", "stats/follow"): {
        "followers": FEED_ID,
        "following": FEED_ID,
        "followers_slugs": TEXT,
        "following_slugs": TEXT,
    },
    ("GET", "data_privacy/export_ids/{user...}"): {"next": TEXT},
    ("GET", "audit_logs"): {**_ENTITY, "user_id": TEXT, "limit": _PAGE, "next": TEXT, "prev": TEXT},
}
