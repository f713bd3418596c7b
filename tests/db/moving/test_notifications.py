"""A database of django-notifications-hq, made by itself, is imported, with what was read and what was not."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.core.management import CommandError, call_command
from django.db import connection

from django_stream import feeds
from django_stream.feeds import feed_manager
from tests.extras import needs
from tests.moved.made import load

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("feed_groups"), needs("aggregation")]


def imported(*options: str) -> str:
    out = StringIO()
    call_command("stream_import", "--from", "notifications", *options, stdout=out)
    return out.getvalue()


def notifications(user: Any) -> list[dict[str, Any]]:
    feed, found, after = feed_manager.get_notification_feed(user), [], {}
    while groups := feed.get(limit=100, **after)["results"]:
        found += groups
        after = {"id_lt": groups[-1]["id"]}
    return found


def key(group: dict[str, Any]) -> int:
    (one,) = group["activities"]
    return int(one["foreign_id"].rpartition(":")[2])


def of_one_user(pk: int = 1) -> dict[str, Any]:
    shown: dict[str, Any] = load("notifications")[str(pk)]
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM notifications_notification WHERE recipient_id <> %s", [pk])
    return shown


def the_same(pk: Any, shown: dict[str, Any]) -> None:
    groups = notifications(pk)
    assert [key(group) for group in groups] == shown["active"]
    assert [key(group) for group in groups if group["is_read"]] == shown["read"]
    assert [key(group) for group in groups if group["is_seen"]] == shown["read"]
    page = feeds.notifications(pk).page(limit=1)
    assert (page.unread, page.unseen) == (shown["unread"], shown["unread"])


def test_all_notifications_are_what_the_package_showed() -> None:
    shown = load("notifications")

    told = imported()

    for pk, found in shown.items():
        the_same(pk, found)
    assert "50 left out: deleted" in told
    assert "4950 activities sent" in told


def test_nobody_but_the_recipient_gets_them() -> None:
    of_one_user()
    feed_manager.follow_many_users(1, range(2, 21))

    imported()

    assert feed_manager.get_feed("timeline", 1).get()["results"] == []
    assert all(feed_manager.get_user_feed(user.pk).get()["results"] == [] for user in User.objects.all())


def test_a_second_run_changes_nothing() -> None:
    shown = of_one_user()

    imported()
    imported()

    the_same(1, shown)


def test_a_dry_run_counts_and_sends_nothing() -> None:
    shown = of_one_user()

    told = imported("--dry-run")

    assert f"{len(shown['active'])} activities would be sent" in told
    assert notifications(1) == []


def test_the_parts_of_a_notification() -> None:
    of_one_user()
    imported()

    (group,) = [one for one in notifications(1) if one["activities"][0].get("data")][:1]
    (activity,) = group["activities"]
    assert activity["level"] in {"info", "warning"}
    assert activity["description"] == f"told {activity['data']['number']}"
    club = Group.objects.get()
    assert {one["activities"][0]["object"] for one in notifications(1)} >= {f"auth.Group:{club.pk}"}


def test_a_group_of_which_something_is_unread_stays_unread(settings: Any) -> None:
    shown = of_one_user()
    groups = settings.STREAM_SERVER_FEED_GROUPS | {"notification": {"kind": "notification"}}
    settings.STREAM_SERVER_FEED_GROUPS = groups

    imported()

    for group in notifications(1):
        inside = {int(one["foreign_id"].rpartition(":")[2]) for one in group["activities"]}
        assert group["is_read"] == (inside <= set(shown["read"]))


def test_a_table_of_another_name() -> None:
    shown = of_one_user()
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE notifications_notification RENAME TO inbox_note")

    with pytest.raises(CommandError, match="--table"):
        imported()
    imported("--table", "inbox_note")

    the_same(1, shown)
