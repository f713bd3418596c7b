"""Times are told alike whatever form the database gives them in."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from django.utils import timezone as clock

from django_stream.server.models import Reaction, StreamUser
from django_stream.server.reads.reaction_rows import wire_time
from tests.contract.calling import ok

HALF = timezone(timedelta(hours=5, minutes=30))


@pytest.mark.parametrize(
    "value",
    [
        "2026-01-31 12:00:00.120000+00",
        "2026-01-31 12:00:00.120+00",
        "2026-01-31 12:00:00.12+00",
        "2026-01-31 17:30:00.12+05:30",
        datetime(2026, 1, 31, 12, 0, 0, 120_000, tzinfo=UTC),
        datetime(2026, 1, 31, 17, 30, 0, 120_000, tzinfo=HALF),
        datetime(2026, 1, 31, 12, 0, 0, 120_000),
    ],
    ids=str,
)
def test_every_form_is_the_same_time_on_the_wire(value):
    assert wire_time(value) == "2026-01-31T12:00:00.120000Z"


def test_whole_seconds_have_their_fraction():
    assert wire_time("2026-01-31 12:00:00+00") == "2026-01-31T12:00:00.000000Z"


@pytest.mark.parametrize("value", ["2026-01-31 07:00:00.120000", "2026-01-31 07:00:00.12-05"])
def test_without_time_zones_the_database_holds_local_time(settings, value):
    settings.USE_TZ = False
    settings.TIME_ZONE = "America/New_York"
    clock.get_default_timezone.cache_clear()
    try:
        assert wire_time(value) == "2026-01-31T12:00:00.120000Z"
    finally:
        clock.get_default_timezone.cache_clear()


@pytest.mark.django_db
@pytest.mark.parametrize("microsecond", [0, 500_000, 678_000, 123_450, 123_456])
def test_a_page_tells_the_time_that_the_reaction_itself_tells(microsecond):
    ok("POST", "user/", {"id": "bob"})
    activity = ok("POST", "feed/user/1/", {"actor": "SU:bob", "verb": "post", "object": "1"})["id"]
    made = ok("POST", "reaction/", {"kind": "like", "activity_id": activity, "user_id": "bob"})["id"]
    moment = datetime(2026, 1, 31, 12, 0, 0, microsecond, tzinfo=UTC)
    Reaction.objects.update(created_at=moment)
    StreamUser.objects.update(created_at=moment)

    shown = ok("GET", "enrich/feed/user/1/", withRecentReactions="true")["results"][0]
    text = f"2026-01-31T12:00:00.{microsecond:06}Z"
    assert shown["latest_reactions"]["like"] == [ok("GET", f"reaction/{made}/")]
    assert shown["latest_reactions"]["like"][0]["created_at"] == text
    assert shown["actor"] == ok("GET", "user/bob/")
    assert shown["actor"]["created_at"] == text
