"""An unfollow reads what the follow brought, however much there is beside it."""

from __future__ import annotations

import re

import pytest

from tests.contract.calling import follow, ids, ok, post
from tests.db.server.plans import plans_of

pytestmark = pytest.mark.django_db


def test_an_unfollow_finds_by_key_what_the_follow_brought() -> None:
    for number in range(3):
        post("user:1", foreign_id=str(number))
        post("user:2", foreign_id=f"{number} of another")
    for feed in ("timeline:1", "aggregated:1"):
        follow(feed, "user:1")
        follow(feed, "user:2")
        unfollow = f"feed/{feed.replace(':', '/')}/follows/user:1/"
        deleted = [
            plan
            for sql, plan in plans_of(lambda unfollow=unfollow: ok("DELETE", unfollow)).items()
            if re.match(r'DELETE FROM "?django_stream_server_timelineentry', sql)
        ]
        assert deleted
        assert all(re.search(r"feed=\? AND key=\?|key = ANY", "\n".join(plan)) for plan in deleted), deleted
        assert len(ids("timeline:1")) == 3
