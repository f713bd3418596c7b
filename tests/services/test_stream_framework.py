"""A Redis that Stream-Framework has filled is imported: streams are what the package showed."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.contrib.contenttypes.models import ContentType
from django.core.management import CommandError, call_command
from redis import Redis

from django_stream.feeds import feed_manager
from tests.moved.made import stored_by_stream_framework
from tests.moved.models import Tweet
from tests.services.brokers import Broker

pytestmark = [pytest.mark.services, pytest.mark.django_db]

IDS = {
    "verbs": {
        1: {"verb": "follow", "object": "auth.User"},
        2: {"verb": "comment on", "object": "auth.Permission", "target": "auth.Group"},
        3: {"verb": "love", "object": "auth.Permission", "target": "auth.Group"},
        4: {"verb": "add", "object": "auth.Permission", "target": "auth.Group"},
    },
}
TRACKED = {"verbs": {number: {"verb": "tweet", "object": "moved.Tweet"} for number in IDS["verbs"]}}
GONE = {"11", "12"}


@pytest.fixture
def shown(broker_named: Callable[[str], Broker]) -> Iterator[dict[str, list[str]]]:
    """The keys of that Redis, and the rows that they are about."""
    made = stored_by_stream_framework()
    with Redis.from_url(broker_named("redis").url) as redis:
        redis.flushdb()
        for key, pairs in made["sets"].items():
            redis.zadd(key, dict(pairs))
        for key, fields in made["hashes"].items():
            redis.hset(key, mapping=fields)
        User.objects.bulk_create(User(pk=pk, username=f"user{pk}") for pk in range(1, 21))
        Group.objects.bulk_create(Group(pk=pk, name=f"board{pk}") for pk in range(1, 11))
        Permission.objects.all().delete()
        kind = ContentType.objects.get_for_model(User)
        Permission.objects.bulk_create(
            Permission(pk=pk, codename=f"pin{pk}", name="pin", content_type=kind) for pk in range(1, 11)
        )
        yield made["shown"]
        redis.flushdb()


@pytest.fixture
def imported(broker_named: Callable[[str], Broker]) -> Callable[..., str]:
    def run(*options: str, mapping: str = "IDS") -> str:
        out = StringIO()
        where = ["--redis", broker_named("redis").url, "--mapping", f"{__name__}.{mapping}"]
        call_command("stream_import", "--from", "stream-framework", *where, *options, stdout=out)
        return out.getvalue()

    return run


def stream(owner: int) -> list[dict[str, Any]]:
    feed, found, place = feed_manager.get_user_feed(owner), [], {}
    while page := feed.get(limit=100, **place)["results"]:
        found += page
        place = {"id_lt": page[-1]["id"]}
    return found


def of_an_object_that_is_there(name: str) -> bool:
    return str(int(name[-13:-3])) not in GONE


def test_user_feeds_are_what_the_package_showed(
    shown: dict[str, list[str]], imported: Callable[..., str]
) -> None:
    dry = imported("--dry-run")
    assert all(stream(int(user)) == [] for user in shown)
    told = imported()
    assert imported() == told

    for user, names in shown.items():
        found = [one["foreign_id"].rpartition(":")[2] for one in stream(int(user))]
        assert found == [name for name in names if of_an_object_that_is_there(name)], user
    sent = sum(of_an_object_that_is_there(name) for names in shown.values() for name in names)
    assert f"{sent} activities sent" in told
    assert f"{sent} activities would be sent" in dry
    assert "left out: the object is gone" in told
    assert "sent without extra_context, which is pickled: see --unpickle" in told
    assert not any("extra_context" in one for one in stream(1))


def test_plain_values_are_unpickled_when_one_asks_for_it(
    shown: dict[str, list[str]], imported: Callable[..., str]
) -> None:
    told = imported("--unpickle")

    extras = [one["extra_context"] for user in shown for one in stream(int(user)) if "extra_context" in one]
    assert extras
    assert all(one["text"] == "a, b" and one["number"] % 4 == 0 for one in extras)
    assert "sent without extra_context, which holds more than plain values" in told


def test_a_pickle_that_would_call_something_calls_nothing(
    shown: dict[str, list[str]],
    imported: Callable[..., str],
    broker_named: Callable[[str], Broker],
    tmp_path: Any,
) -> None:
    class Trap:
        def __reduce__(self) -> Any:
            return (open, (str(tmp_path / "sprung"), "w"))

    with Redis.from_url(broker_named("redis").url) as redis:
        for key in redis.keys("global:*"):
            for name in redis.hkeys(key):
                redis.hset(
                    key, name, b"1,3,5,0,1546302000.5," + pickle.dumps(Trap()).decode("latin1").encode()
                )
    imported("--unpickle")

    assert not (tmp_path / "sprung").exists()
    assert stream(1)


def test_rows_that_are_activities_themselves_are_left_to_the_backfill(
    shown: dict[str, list[str]], imported: Callable[..., str]
) -> None:
    Tweet.objects.bulk_create(Tweet(pk=pk, author_id=1, text="x") for pk in range(1, 13))

    told = imported(mapping="TRACKED")

    assert "rows of moved.Tweet are activities: stream_backfill brings them" in told
    assert "0 activities sent" in told


def test_what_cannot_be_read_is_counted(
    shown: dict[str, list[str]], imported: Callable[..., str], broker_named: Callable[[str], Broker]
) -> None:
    with Redis.from_url(broker_named("redis").url) as redis:
        redis.zadd("user_feed:1", {"1": 1, "2": 2, "3": 3})
        for name, text in (("2", "nonsense"), ("3", "1,99,5,0,1546302000.5,")):
            for shard in range(10):
                redis.hset(f"global:{shard}", name, text)

    told = imported("--dry-run")

    assert "1 left out: the feed has the id of an activity that is not stored" in told
    assert "1 left out: the text that is stored cannot be read" in told
    assert "1 left out: the mapping has no verb 99" in told
    assert stream(1) == []


@pytest.mark.parametrize("mapping", ["NOTHING", "GONE", "stream"])
def test_a_mapping_that_says_nothing_is_refused(imported: Callable[..., str], mapping: str) -> None:
    with pytest.raises(CommandError, match="cannot be understood"):
        imported(mapping=mapping)
