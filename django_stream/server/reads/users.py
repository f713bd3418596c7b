"""Users by id."""

from __future__ import annotations

from collections.abc import Collection

from django_stream.database.transactions import database_to_read
from django_stream.protocol import wire
from django_stream.protocol.feed_ids import FeedID
from django_stream.server.models import StreamUser
from django_stream.server.reads import follows
from django_stream.server.reads.serializers import rfc3339
from django_stream.server.validation import missing


def by_id(application_id: int, user_ids: Collection[str]) -> dict[str, StreamUser]:
    """The users that exist among these."""
    if not user_ids:
        return {}
    rows = StreamUser.objects.using(database_to_read(StreamUser)).filter(
        application_id=application_id, user_id__in=user_ids
    )
    return {user.user_id: user for user in rows}


def get(application_id: int, user_id: str) -> StreamUser:
    """One user, or the refusal that it does not exist."""
    found = by_id(application_id, [user_id]).get(user_id)
    if found is None:
        raise missing("user", user_id)
    return found


def shape(user: StreamUser) -> wire.User[str]:
    """A user on the wire."""
    return {
        "id": user.user_id,
        "data": user.data,
        "created_at": rfc3339(user.created_at),
        "updated_at": rfc3339(user.updated_at),
    }


def follow_counts(application_id: int, user_id: str) -> wire.UserFollowCounts:
    """How many timelines follow the user's feed, and how many such feeds the user's timeline follows.

    That pair of feed groups is what the clients mean by following somebody.
    """
    try:
        own, wall = FeedID.parse(f"timeline:{user_id}"), FeedID.parse(f"user:{user_id}")
    except ValueError:  # ids of users may hold what those of feeds may not
        return {"followers_count": 0, "following_count": 0}
    return {
        "followers_count": follows.count(application_id, "target", wall, ["timeline"]),
        "following_count": follows.count(application_id, "source", own, ["user"]),
    }
