"""A home of the feeds is copied to another by what its API tells, and the two are compared."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command

from django_stream.backends import get_client, get_other_client
from django_stream.checks import check_settings
from django_stream.client import StreamClient
from django_stream.client.exceptions import ConnectionFailed
from django_stream.feeds import feed_manager
from django_stream.models import Checkpoint
from django_stream.moving.sending import Destination, Outcome
from django_stream.operations.verify import inspection_of_home
from django_stream.server.models import ApiKey, Application
from tests.extras import needs

pytestmark = [pytest.mark.django_db, needs("aggregation")]
BEGIN = datetime(2022, 1, 1, tzinfo=UTC)


@pytest.fixture
def other(settings: Any) -> StreamClient:
    """Another application of the same server: another home, of which this one sees nothing."""
    settings.STREAM_SERVER_FEED_GROUPS = {
        **settings.STREAM_SERVER_FEED_GROUPS,
        "notification": {"kind": "notification", "aggregation_format": "{{ verb }}"},
    }
    key = ApiKey.objects.create(application=Application.objects.create(name="other"))
    settings.STREAM_OTHER_HOME = {
        "backend": "embedded",
        "api_key": key.key,
        "api_secret": key.secret(),
        "app_id": str(key.application_id),
    }
    return get_other_client()


@pytest.fixture
def people(other: StreamClient) -> list[User]:
    """What a site of some time has: follows, mentions, reactions, stored objects, marks."""
    users = User.objects.bulk_create([User(username=f"user{number}") for number in range(5)])
    club = Group.objects.create(name="chess")
    here = get_client()
    for user in users:
        for followed in users[:3]:
            feed_manager.follow_user(user, followed)
    feed_manager.follow_feed(users[0], "user", club)
    here.collections.upsert("food", [{"id": "soup", "name": "Soup"}])
    here.users.add_many([{"id": str(users[0].pk), "data": {"name": "Ada"}}])
    for number in range(230):
        author = users[number % 3]
        feed_manager.get_user_feed(author).add_activity(
            {
                "actor": f"SU:{author.pk}",
                "verb": ("cook", "eat")[number % 2],
                "object": "SO:food:soup",
                "foreign_id": f"meal:{number}",
                "time": BEGIN + timedelta(minutes=number),
                "number": number,
                "to": [f"notification:{users[4].pk}"] if number % 50 == 0 else [],
            }
        )
    feed_manager.get_feed("user", club).add_activity(
        {"actor": "club", "verb": "open", "object": "x", "foreign_id": "club:1", "time": BEGIN}
    )
    feed_manager.get_notification_feed(users[3]).add_activity(
        {"actor": "x", "verb": "greet", "object": "y", "foreign_id": "greeting:1", "time": BEGIN}
    )
    newest = feed_manager.get_user_feed(users[0]).get(limit=1)["results"][0]["id"]
    comment = here.reactions.add("comment", newest, "9", {"text": "Good"})
    here.reactions.add("like", newest, "8")
    here.reactions.add_child("like", comment["id"], "7")
    notes = feed_manager.get_notification_feed(users[4])
    notes.get(limit=1, mark_read=True, mark_seen=True)
    return users


def moved(*options: str) -> tuple[str, str]:
    out = StringIO()
    try:
        call_command("stream_move", "--to", "embedded", *options, stdout=out)
    except CommandError as error:
        return out.getvalue(), str(error)
    return out.getvalue(), ""


def whole(client: StreamClient, slug: str, owner: Any) -> list[Any]:
    feed, found, place = feed_manager.get_feed(slug, owner), [], {}
    feed = client.feed(feed.slug, feed.user_id)
    while page := feed.get(limit=100, **place)["results"]:
        found += page
        place = {"id_lt": page[-1]["id"]}
    volatile = ("created_at", "updated_at")
    return [{name: value for name, value in one.items() if name not in volatile} for one in found]


def the_same(other: StreamClient, people: list[User]) -> None:
    for slug in ("user", "timeline", "timeline_aggregated", "notification"):
        for owner in (*people, Group.objects.get()):
            assert whole(other, slug, owner) == whole(get_client(), slug, owner), (slug, owner)


def test_everything_is_there_in_the_same_order(other: StreamClient, people: list[User]) -> None:
    told, error = moved()

    assert error == ""
    the_same(other, people)
    assert len(whole(other, "timeline", people[0])) == 231
    assert "232 activities copied" in told
    newest = other.feed("user", people[0].pk).get(
        limit=1, enrich=True, reactions={"counts": True, "recent": True}
    )
    (one,) = newest["results"]
    assert one["object"]["data"] == get_client().collections.get("food", "soup")["data"]
    assert one["actor"]["data"] == {"name": "Ada"}
    assert one["reaction_counts"] == {"comment": 1, "like": 1}
    (comment,) = one["latest_reactions"]["comment"]
    assert (comment["data"], comment["children_counts"]) == ({"text": "Good"}, {"like": 1})
    assert not Checkpoint.objects.exists()


def test_marks_are_those_of_before(other: StreamClient, people: list[User]) -> None:
    moved()

    page = other.feed("notification", people[4].pk).get()
    assert (page["unseen"], page["unread"]) == (0, 0)
    assert other.feed("notification", people[3].pk).get()["unread"] == 1


def test_a_second_run_changes_nothing_and_brings_what_came_since(
    other: StreamClient, people: list[User]
) -> None:
    moved()
    feed_manager.get_user_feed(people[1]).add_activity(
        {"actor": "x", "verb": "late", "object": "y", "foreign_id": "late:1", "time": BEGIN}
    )
    moved()

    the_same(other, people)
    assert len(whole(other, "user", people[1])) == 78


@pytest.mark.parametrize("at", ["the fifth feed", "the club's feed"])
def test_a_copy_that_was_killed_goes_on_there(
    at: str, other: StreamClient, people: list[User], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("django_stream.moving.copying._USERS", 1)
    from django_stream.moving import copying

    copied: list[str] = []
    copy = copying.Copy._copy  # noqa: SLF001

    def killed(self: Any, name: Any) -> None:
        is_there = len(copied) == 4 if at == "the fifth feed" else str(name).startswith("user:auth-group-")
        if is_there:
            raise KeyboardInterrupt
        copied.append(str(name))
        copy(self, name)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(copying.Copy, "_copy", killed)
        moved()
    before, copied[:] = list(copied), []

    def watched(self: Any, name: Any) -> None:
        copied.append(str(name))
        copy(self, name)

    monkeypatch.setattr(copying.Copy, "_copy", watched)
    moved("--resume")

    the_same(other, people)
    assert not set(before) & set(copied)


def test_what_the_other_home_refuses_is_told_and_the_rest_is_copied(
    other: StreamClient, people: list[User], monkeypatch: pytest.MonkeyPatch
) -> None:
    large = [{"id": f"user-{number}", "data": {"text": "x" * number}} for number in (10, 70_000, 20)]
    outcome = Outcome()
    to = Destination(other, outcome)

    to.add_users(large)
    to.upsert("things", [{"id": one["id"], **one["data"]} for one in large])
    to.react({"kind": "", "parent": None, "activity_id": "nobody", "user_id": "1", "data": {}, "id": None})

    assert (outcome.further["users"], outcome.further["entries of collections"]) == (2, 2)
    assert outcome.refused == 3


def test_a_dry_run_counts_and_sends_nothing(other: StreamClient, people: list[User]) -> None:
    told, _ = moved("--dry-run")

    assert "232 activities would be copied" in told
    assert "3 reactions would be copied" in told
    assert whole(other, "timeline", people[0]) == []
    assert not Checkpoint.objects.exists()


def test_more_follows_than_the_api_lists_are_asked_for_by_name(
    other: StreamClient, people: list[User], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("django_stream.protocol.limits.FOLLOW_PAGE_MAX", 1)
        patch.setattr("django_stream.protocol.limits.FOLLOW_OFFSET_MAX", 0)
        moved("--feeds", "user:auth-group-1")

    following = other.feed("timeline", people[1].pk).following()["results"]
    assert {one["target_id"] for one in following} == {f"user:{one.pk}" for one in people[:3]}


def test_activities_without_a_foreign_id_are_known_again(other: StreamClient, people: list[User]) -> None:
    feed_manager.get_user_feed(people[0]).add_activity({"actor": "x", "verb": "say", "object": "y"})

    moved()
    moved()

    said = [one for one in whole(other, "user", people[0]) if one["verb"] == "say"]
    assert [one["foreign_id"].partition(":")[0] for one in said] == ["activity"]


def test_pages_of_both_are_compared_before_the_switch(other: StreamClient, people: list[User]) -> None:
    told, error = moved("--shadow")
    assert f"user:{people[0].pk}: 77 are missing there" in told
    assert "feeds differ" in error

    moved()
    told, error = moved("--shadow")
    assert ("20 feeds compared, 0 differ" in told, error) == (True, "")

    other.feed("user", people[0].pk).remove_activity(foreign_id="meal:0")
    other.feed("timeline", people[0].pk).unfollow("user", people[2].pk)
    *lines, summary = map(
        json.loads, moved("--shadow", "--json", "--feeds", "user:auth-group-1")[0].splitlines()
    )
    assert {one["feed"] for one in lines} >= {f"user:{people[0].pk}", f"timeline:{people[0].pk}"}
    assert (summary["ok"], summary["compared"]) == (False, 21)


def test_reads_go_to_both_and_differences_are_logged(
    other: StreamClient, people: list[User], settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    moved()
    settings.STREAM_SHADOW_READS = 1.0
    assert inspection_of_home() is not None

    with caplog.at_level(logging.WARNING, "django_stream.shadow"):
        page = feed_manager.get_user_feed(people[0]).get()
        assert caplog.records == []
        other.feed("user", people[0].pk).remove_activity(page["results"][3]["id"])
        again = feed_manager.get_user_feed(people[0]).get()
        feed_manager.get_notification_feed(people[4]).get(mark_seen=True)

    assert again["results"] == page["results"]
    (record,) = caplog.records
    assert record.feed == f"user:{people[0].pk}"
    assert record.differences[0].startswith("1 are missing there, meal:")


def test_a_shadow_that_is_out_of_reach_changes_nothing(
    other: StreamClient,
    people: list[User],
    settings: Any,
    caplog: pytest.LogCaptureFixture,
) -> None:
    settings.STREAM_SHADOW_READS = 1.0
    client = get_client()

    class Broken:
        def send(self, request: Any, *, timeout: float | None = None) -> Any:
            raise ConnectionFailed("no route")

    broken = client.with_transport(
        type(client.api.transport)(client.api.transport.transport, other.with_transport(Broken()))
    )

    with caplog.at_level(logging.WARNING, "django_stream.shadow"):
        assert len(broken.feed("user", people[0].pk).get(limit=5)["results"]) == 5
    assert "no route" in caplog.text


@pytest.mark.parametrize(
    ("home", "told"),
    [
        ({}, "STREAM_OTHER_HOME"),
        ({"backend": "hosted"}, "lacks api_key and api_secret"),
        ({"backend": "nowhere"}, "STREAM_OTHER_HOME"),
        ({"backend": "hosted", "api_kye": "x"}, "Did you mean 'api_key'"),
    ],
)
def test_a_home_of_which_nothing_is_known_is_refused(settings: Any, home: dict[str, str], told: str) -> None:
    settings.STREAM_OTHER_HOME = home
    with pytest.raises(CommandError, match=told):
        call_command("stream_move", "--to", "hosted")
    with pytest.raises(CommandError, match=told):
        call_command("stream_import", "--from", "stream-django")


def test_the_embedded_home_needs_no_setting(settings: Any) -> None:
    settings.STREAM_OTHER_HOME = {}
    client = get_other_client("embedded")
    assert client.feed("user", "1").get()["results"] == []
    with pytest.raises(ImproperlyConfigured):
        get_other_client()


@pytest.mark.django_db(transaction=True)
def test_a_site_leaves_the_service_over_http(live_server: Any, settings: Any) -> None:
    key = ApiKey.objects.create(application=Application.objects.create(name="service"))
    settings.STREAM_NETWORK_IN_TESTS = True
    settings.STREAM_OTHER_HOME = {"backend": live_server.url, "api_key": key.key, "api_secret": key.secret()}
    ada, grace = (User.objects.create(username=name) for name in ("ada", "grace"))
    service = get_other_client()
    service.feed("timeline", grace.pk).follow("user", str(ada.pk))
    service.feed("user", ada.pk).add_activity(
        {"actor": f"auth.User:{ada.pk}", "verb": "post", "object": "x", "foreign_id": "x:1", "time": BEGIN}
    )
    settings.STREAM_OTHER_HOME = {**settings.STREAM_OTHER_HOME, "backend": live_server.url}

    def imported(*options: str) -> str:
        out = StringIO()
        named = ("--from", "stream-django", "--home", live_server.url)
        call_command("stream_import", *named, *options, stdout=out)
        return out.getvalue()

    assert "1 follows and 1 activities would be sent" in imported("--dry-run")
    assert whole(get_client(), "timeline", grace) == []
    for _ in range(2):
        assert "1 follows and 1 activities sent" in imported()
        assert [one["foreign_id"] for one in whole(get_client(), "timeline", grace)] == ["x:1"]


def test_the_key_may_go_after_the_move_and_the_application_stays(settings: Any) -> None:
    """Feeds that came from the hosted service, by its key, are there without that key."""
    settings.STREAM_API_KEY, settings.STREAM_API_SECRET = "key-of-the-service", "s" * 40
    settings.STREAM_APP_ID = "12345"
    ada = User.objects.create(username="ada")
    feed = feed_manager.get_user_feed(ada)
    feed.add_activity({"actor": "x", "verb": "greet", "object": "y", "foreign_id": "a:1", "time": BEGIN})
    assert [one.id for one in check_settings()] in ([], ["django_stream.W070"])

    settings.STREAM_API_KEY = settings.STREAM_API_SECRET = ""

    assert check_settings() == []
    (found,) = feed_manager.get_user_feed(ada).get()["results"]
    assert found["foreign_id"] == "a:1"
    settings.STREAM_APP_ID = ""
    assert feed_manager.get_user_feed(ada).get()["results"] == []
