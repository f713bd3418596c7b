"""Token scopes: which resource an endpoint belongs to and which action a method is."""

from __future__ import annotations

from typing import Final

ANY: Final = "*"

ACTIVITIES: Final = "activities"
FEED: Final = "feed"
FEED_TARGETS: Final = "feed_targets"
FOLLOWER: Final = "follower"
REACTIONS: Final = "reactions"
COLLECTIONS: Final = "collections"
STREAMS: Final = "streams"
USERS: Final = "users"
FILES: Final = "files"
OPEN_GRAPH: Final = "url"
MODERATION: Final = "moderation"
AUDIT_LOGS: Final = "audit_logs"
DATA_PRIVACY: Final = "data_privacy"
PERSONALIZATION: Final = "personalization"
ANALYTICS: Final = "analytics"
REDIRECT_AND_TRACK: Final = "redirect_and_track"

RESOURCES: Final = frozenset(
    {
        ACTIVITIES,
        ANALYTICS,
        AUDIT_LOGS,
        COLLECTIONS,
        DATA_PRIVACY,
        FEED,
        FEED_TARGETS,
        FILES,
        FOLLOWER,
        MODERATION,
        OPEN_GRAPH,
        PERSONALIZATION,
        REACTIONS,
        REDIRECT_AND_TRACK,
        STREAMS,
        USERS,
    }
)

READ: Final = "read"
WRITE: Final = "write"
DELETE: Final = "delete"
ACTIONS: Final = frozenset({READ, WRITE, DELETE})

_ACTION_OF_METHOD = {
    "GET": READ,
    "HEAD": READ,
    "OPTIONS": READ,
    "POST": WRITE,
    "PUT": WRITE,
    "PATCH": WRITE,
    "DELETE": DELETE,
}


def action_of(method: str) -> str:
    """The action a token must allow for this HTTP method; KeyError for any other word."""
    return _ACTION_OF_METHOD[method]
