"""A stream-django site goes on working once its imports are changed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.contrib.auth.models import User

from django_stream.activity import model_content_type
from django_stream.enrich import Enrich
from django_stream.feed_manager import feed_manager
from django_stream.tracking import drain
from tests.testapp.models import Article, Pin

pytestmark = pytest.mark.django_db


def test_a_pin_is_created_read_enriched_and_deleted(
    ada: User, grace: User, django_assert_num_queries: Callable[..., Any]
) -> None:
    article = Article.objects.create(author=grace, title="one")
    feed_manager.follow_user(grace.id, ada.id)
    pin = Pin.objects.create(user=ada, item=article, influencer=grace, message="look")
    drain()

    activities = feed_manager.get_user_feed(ada.id).get(limit=25)["results"]
    assert [(one["verb"], one["message"]) for one in activities] == [("pin", "look")]
    assert activities[0]["object"] == f"{model_content_type(Pin)}:{pin.pk}"

    with django_assert_num_queries(3):
        (enriched,) = Enrich(["actor", "object", "item"]).enrich_activities(activities)
        assert enriched["object"].user == ada
        assert enriched["item"] == article
    assert enriched.enriched
    assert enriched.not_enriched_data == {}

    news = feed_manager.get_news_feeds(grace.id)["timeline"].get()["results"]
    assert [one["id"] for one in news] == [activities[0]["id"]]
    (group,) = feed_manager.get_notification_feed(grace.id).get(limit=5)["results"]
    assert Enrich().enrich_aggregated_activities([group])[0]["activities"][0]["object"] == pin
    assert feed_manager.get_actor_feed(pin).id == f"user:{ada.id}"

    pin.delete()
    drain()
    assert feed_manager.get_user_feed(ada.id).get()["results"] == []


def test_a_naive_time_is_utc_as_it_was_there(ada: User, monkeypatch: pytest.MonkeyPatch) -> None:
    article = Article.objects.create(author=ada, title="one")
    monkeypatch.setattr(Pin, "activity_time", property(lambda self: datetime(2020, 2, 3, 4, 5, 6)))
    Pin.objects.create(user=ada, item=article, influencer=ada)
    drain()

    (activity,) = [one for one in feed_manager.get_user_feed(ada.id).get()["results"] if one["verb"] == "pin"]
    assert activity["time"].isoformat() == "2020-02-03T04:05:06+00:00"
