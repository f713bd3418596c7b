"""What no endpoint lists is read in steps, and of one application alone."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from django_stream.server.conf import server_settings
from django_stream.server.feed_store import ensure_application
from django_stream.server.models import Application, Feed, Follow
from django_stream.server.reads import whole_tables
from tests.contract.calling import ok

pytestmark = pytest.mark.django_db


def test_follows_of_others_cost_nothing() -> None:
    """Nor do those of groups that nobody asked for."""
    ok("POST", "follow_many/", [{"source": "timeline:1", "target": "user:2"}])
    for application, slug in (
        (Application.objects.create().pk, "timeline"),
        (server_settings.own_app_id, "notification"),
    ):
        feeds = Feed.objects.bulk_create(
            Feed(application_id=application, slug=slug, user_id=f"z{number}") for number in range(1101)
        )
        Follow.objects.bulk_create(Follow(source=one, target=feeds[0], since_seq=0) for one in feeds[1:])
    ok("POST", "follow_many/", [{"source": "timeline:3", "target": "user:2"}])

    with CaptureQueriesContext(connection) as queries:
        found = [*whole_tables.all_follows(server_settings.own_app_id, ["timeline", "timeline_flat"])]

    assert found == [("timeline:1", "user:2"), ("timeline:3", "user:2")]
    assert len(queries) == 2


def test_all_follows_come_however_many() -> None:
    ensure_application(server_settings.own_app_id)
    feeds = Feed.objects.bulk_create(
        Feed(application_id=server_settings.own_app_id, slug="timeline", user_id=f"z{number}")
        for number in range(1101)
    )
    Follow.objects.bulk_create(Follow(source=one, target=feeds[0], since_seq=0) for one in feeds[1:])
    found = [*whole_tables.all_follows(server_settings.own_app_id, ["timeline"])]
    assert found == [(f"timeline:z{number}", "timeline:z0") for number in range(1, 1101)]
