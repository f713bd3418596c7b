"""What no endpoint lists is read in steps."""

from __future__ import annotations

import pytest

from django_stream.server.conf import server_settings
from django_stream.server.feed_store import ensure_application
from django_stream.server.models import Feed, Follow
from django_stream.server.reads import whole_tables

pytestmark = pytest.mark.django_db


def test_all_follows_come_however_many() -> None:
    ensure_application(server_settings.own_app_id)
    feeds = Feed.objects.bulk_create(
        Feed(application_id=server_settings.own_app_id, slug="timeline", user_id=f"z{number}")
        for number in range(1101)
    )
    Follow.objects.bulk_create(Follow(source=one, target=feeds[0], since_seq=0) for one in feeds[1:])
    found = [*whole_tables.all_follows(server_settings.own_app_id, ["timeline"])]
    assert found == [(f"timeline:z{number}", "timeline:z0") for number in range(1, 1101)]
