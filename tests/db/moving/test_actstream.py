"""A database of django-activity-stream, made by itself, is imported: streams are what the package showed."""

from __future__ import annotations

import json
from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.core.management import CommandError, call_command
from django.db import DataError, connection

from django_stream.activities.owners import owner_id
from django_stream.feeds import feed_manager
from tests.moved.made import load

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("feed_groups")]


def imported(*options: str) -> str:
    out = StringIO()
    call_command("stream_import", "--from", "actstream", *options, stdout=out)
    return out.getvalue()


def stream(slug: str, owner: Any) -> list[int]:
    """The keys of the actions in a whole feed, in its order."""
    feed, found = feed_manager.client.feed(slug, owner), []
    page: dict[str, Any] = {"results": [None]}
    after: dict[str, str] = {}
    while page["results"]:
        page = feed.get(limit=100, **after)
        found += [int(one["foreign_id"].rpartition(":")[2]) for one in page["results"]]
        after = {"id_lt": page["results"][-1]["id"]} if page["results"] else {}
    return found


OF_ACTOR_THAT_IS_GONE = 10_001


def without(shown: dict[str, Any], *ids: int) -> dict[str, Any]:
    gone = set(ids)
    return {
        kind: {key: [one for one in found if one not in gone] for key, found in streams.items()}
        for kind, streams in shown.items()
    }


def few(count: int = 300) -> dict[str, Any]:
    """The package's tables, with the first actions alone."""
    shown = load("actstream")
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM actstream_action WHERE id > %s AND verb <> 'left'", [count])
    return without(shown, *range(count + 1, 10_002))


def the_same(shown: dict[str, Any], streams: Callable[[str, Any], list[int]] = stream) -> None:
    for key, ids in shown["user"].items():
        assert streams("timeline", key) == ids, key
    for key, ids in shown["actor"].items():
        assert streams("user", key) == ids, key
    clubs = {str(club.pk): owner_id(club) for club in Group.objects.all()}
    for kind, slug in (("club_actor", "user"), ("target", "target"), ("action_object", "object")):
        for key, ids in shown[kind].items():
            assert streams(slug, clubs[key]) == ids, (kind, key)
    for name, ids in shown["model"].items():
        assert streams("model", name) == ids, name


def test_all_streams_are_what_the_package_showed(django_capture_on_commit_callbacks: Any) -> None:
    shown = without(load("actstream"), OF_ACTOR_THAT_IS_GONE)

    with django_capture_on_commit_callbacks(execute=True):  # large fan-outs go on after the commit
        told = imported()

    the_same(shown)
    assert "9750 activities sent" in told
    assert "250 left out: not public" in told
    assert "1 left out: the actor is gone" in told
    assert "1 left out: follows of or by rows that are gone" in told


def test_a_second_run_changes_nothing_and_brings_what_came_since() -> None:
    shown = few()
    imported()
    before = {slug: stream(slug, "1") for slug in ("user", "timeline")}

    imported()

    assert {slug: stream(slug, "1") for slug in before} == before
    the_same(shown)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE actstream_action SET public = %s WHERE id = 8", [True])  # was not
    imported()
    assert 8 in stream("model", "auth-user")


def test_a_run_that_was_killed_is_completed_by_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = few()
    calls = iter(range(1000))
    send = type(feed_manager.client.feed("user", "1")).add_activities

    def killed(*args: Any, **kwargs: Any) -> Any:
        if next(calls) == 10:
            raise KeyboardInterrupt
        return send(*args, **kwargs)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(type(feed_manager.client.feed("user", "1")), "add_activities", killed)
        imported()
    imported()

    the_same(shown)


def test_a_dry_run_counts_and_sends_nothing() -> None:
    few()

    told = imported("--dry-run")

    assert "292 activities would be sent" in told
    assert stream("model", "auth-user") == []
    assert feed_manager.get_feed("timeline", "1").following()["results"] == []


def test_the_parts_of_an_action() -> None:
    few()
    imported()

    page = feed_manager.client.feed("model", "auth-user").get(limit=100)
    found = {one["foreign_id"]: one for one in page["results"]}
    told = next(one for one in found.values() if "data" in one and "description" in one)
    number = told["data"]["number"]
    assert told["description"] == f"told {number}"
    assert told["time"].second == number % 60
    alone = next(one for one in found.values() if one["object"] == one["foreign_id"])
    assert alone["object"].startswith("actstream.Action:")


def test_what_does_not_fit_is_counted_and_the_rest_is_sent() -> None:
    few(20)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE actstream_action SET verb = %s WHERE id = 1", ["é" * 200])
        cursor.execute("UPDATE actstream_action SET description = %s WHERE id = 2", ["x" * 11_000])
        cursor.execute("UPDATE actstream_action SET action_object_object_id = 'none' WHERE id = 3")
        cursor.execute("UPDATE actstream_action SET target_object_id = '-1' WHERE id = 3")

    for told in (imported("--dry-run"), imported()):
        assert "1 left out: the verb has more than 255 bytes" in told
        assert "1 left out: the activity has more than 10 KiB" in told
        assert "17 activities" in told


def test_feed_groups_that_are_missing_are_named_before_anything_is_sent(settings: Any) -> None:
    few()
    settings.STREAM_SERVER_FEED_GROUPS = {
        slug: options for slug, options in settings.STREAM_SERVER_FEED_GROUPS.items() if slug != "target"
    }
    with pytest.raises(CommandError, match="lacks the feed groups target"):
        imported()
    assert stream("user", "1") == []


def test_a_table_that_is_missing_is_named() -> None:
    with pytest.raises(CommandError, match="no table actstream_follow"):
        imported()


def test_programs_read_the_outcome_as_json() -> None:
    few(20)

    *lines, summary = map(json.loads, imported("--json").splitlines())

    assert (summary["summary"], summary["ok"], summary["activities"]) == (True, True, 19)
    assert {one["reason"] for one in lines if "reason" in one} >= {"the actor is gone"}


def test_what_the_api_refuses_is_counted_and_the_rest_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    few(20)
    monkeypatch.setattr("django_stream.moving.sending._unfit", lambda activity: "")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE actstream_action SET verb = %s WHERE id = 1", ["é" * 200])

    with pytest.raises(CommandError, match="1 activities were refused"):
        imported()

    assert len(stream("model", "auth-user")) == 18


def test_models_that_pages_would_show_as_text_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    few()
    monkeypatch.setattr("django_stream.moving.sending.is_shown", lambda model: model is not Group)

    assert 'calls tracking.show("auth.Group")' in imported("--dry-run")


def test_two_kinds_of_follow_are_one_and_end_together() -> None:
    few()
    imported()
    ada, other = User.objects.get(pk=1), User.objects.get(pk=21)
    with connection.cursor() as cursor:
        cursor.execute("SELECT COUNT(*) FROM actstream_follow WHERE user_id = 1 AND object_id = '21'")
        assert cursor.fetchone()[0] > 1

    def targets() -> list[str]:
        return [one["target_id"] for one in feed_manager.get_feed("timeline", ada).following()["results"]]

    assert targets().count("user:21") == 1
    feed_manager.unfollow_user(ada, other)
    assert "user:21" not in targets()


HOSTILE: dict[str, Any] = {
    "verb": ["", "x" * 300, "a\x00b"],
    "data": ["9" * 5000, "1e999", '{"a": "\\u0000"}', '"\\ud800"', "[" * 999 + "]" * 999],
    "description": ["x" * 50_000, "\x00"],
    "actor_object_id": ["x", "9" * 40, "", "\x00", "1.5"],
    "timestamp": ["0001-01-01 00:00:00", "9999-12-31 23:59:59"],
}


@pytest.mark.parametrize(("column", "value"), [(name, one) for name in HOSTILE for one in HOSTILE[name]])
def test_what_others_left_in_a_table_is_counted_and_ends_nothing(column: str, value: Any) -> None:
    few(40)
    with connection.cursor() as cursor:
        try:
            cursor.execute(f"UPDATE actstream_action SET {column} = %s WHERE id IN (7, 20)", [value])
        except (DataError, ValueError) as error:
            pytest.skip(f"the database refuses it: {error!r:.80}")

    try:
        told = imported()
    except CommandError as error:
        told = str(error)

    assert "activities sent" in told or "2 activities were refused by the API" in told
    assert len(stream("model", "auth-user")) >= 20
