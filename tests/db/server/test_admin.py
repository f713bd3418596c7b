"""The operator's pages: secrets are told once, and the explorer says why an item is on a feed."""

import re

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from django_stream.server.models import ApiKey, Application, Feed, ModerationFlag, TimelineEntry
from tests.contract.calling import follow, post

pytestmark = pytest.mark.django_db
KEYS = "/admin/django_stream_server/apikey/"


def test_a_new_secret_is_told_once_and_never_again(admin_client):
    application = Application.objects.create(id=77, name="shop")
    answer = admin_client.post(f"{KEYS}add/", {"key": "shopkey", "application": application.pk}, follow=True)
    secret = ApiKey.objects.get().secret()
    assert secret in answer.content.decode()
    for page in (KEYS, f"{KEYS}shopkey/change/"):
        assert secret not in admin_client.get(page).content.decode()


def test_rotation_tells_the_new_secret_and_keeps_the_former_valid(admin_client):
    key = ApiKey.objects.create(key="shopkey", application=Application.objects.create(id=77))
    former = key.secret()
    answer = admin_client.post(KEYS, {"action": "rotate", "_selected_action": ["shopkey"]}, follow=True)
    key.refresh_from_db()
    told = re.search(r"is ([0-9a-f]{64})\.", answer.content.decode())
    assert told is not None
    assert key.valid_secrets() == [told[1], former]


def test_the_explorer_says_why_each_item_is_there(admin_client):
    follow("timeline:1", "user:1")
    post("user:1", object="followed")
    post("timeline:1", object="posted")
    post("user:2", object="addressed", to=["timeline:1"])
    feed = Feed.objects.get(slug="timeline", user_id="1")
    page = admin_client.get(f"/admin/django_stream_server/feed/{feed.pk}/change/").content.decode()
    for reason in ("follows user:1", "posted here", "named in its &#x27;to&#x27; list"):
        assert reason in page


def test_a_feed_can_be_rebuilt_from_the_record(admin_client):
    follow("timeline:1", "user:1")
    post("user:1")
    feed = Feed.objects.get(slug="timeline", user_id="1")
    before = set(TimelineEntry.objects.values_list("feed", "key", "via"))
    TimelineEntry.objects.filter(feed=feed.pk).delete()
    admin_client.post(
        "/admin/django_stream_server/feed/", {"action": "rebuild", "_selected_action": [feed.pk]}
    )
    assert set(TimelineEntry.objects.values_list("feed", "key", "via")) == before


@pytest.mark.parametrize("right", ["view_feed", "change_feed"])
def test_who_may_only_look_at_feeds_rebuilds_none(client, right):
    post("timeline:1")
    feed = Feed.objects.get(slug="timeline")
    TimelineEntry.objects.all().delete()
    user = User.objects.create(username="staff", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=["view_feed", right]))
    client.force_login(user)
    client.post("/admin/django_stream_server/feed/", {"action": "rebuild", "_selected_action": [feed.pk]})
    assert TimelineEntry.objects.exists() is (right == "change_feed")


@pytest.mark.parametrize("model", ["application", "apikey", "feed", "auditlog", "moderationflag"])
def test_every_list_opens(admin_client, model):
    post("user:1")
    assert admin_client.get(f"/admin/django_stream_server/{model}/").status_code == 200


@pytest.mark.parametrize(
    ("page", "chosen"),
    [("feed", "slug=timeline"), ("auditlog", "action=create"), ("moderationflag", "entity_type=stream:user")],
)
def test_lists_are_filtered_without_reading_all_of_the_table_for_the_choices(admin_client, page, chosen):
    post("timeline:1")
    post("user:1")
    flag = {"entity_type": "stream:user", "entity_id": "ann", "user_id": "bob"}
    ModerationFlag.objects.create(application_id=Feed.objects.first().application_id, **flag)
    with CaptureQueriesContext(connection) as asked:
        answer = admin_client.get(f"/admin/django_stream_server/{page}/?{chosen}")
    assert answer.status_code == 200
    assert not [one["sql"] for one in asked if one["sql"].startswith("SELECT DISTINCT")]
    name, _, value = chosen.partition("=")
    found = [getattr(row, name) for row in answer.context["cl"].result_list]
    assert found
    assert {*found} == {value}
