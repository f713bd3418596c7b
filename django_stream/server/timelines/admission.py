"""What the record says of one feed, whether the timelines have come to it yet or not."""

from __future__ import annotations

import uuid

from django_stream.database.dialect import Fragment
from django_stream.database.statements import Database, equal
from django_stream.server.models import Placement
from django_stream.server.timelines.tables import ADMITS, FOLLOWED_PLACEMENTS


def admits(feed: int, key: uuid.UUID) -> bool:
    """Whether some follow of a feed brings it an activity, or will.

    `feed` is the number of the feed's row, `key` the sort key of the activity.
    """
    return Database.to_write(Placement).exists(
        FOLLOWED_PLACEMENTS, equal("p.key", key), equal("f.source_id", feed), Fragment(ADMITS)
    )
