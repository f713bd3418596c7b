"""What the home of the feeds has of a person: read and erased by its API, whoever runs it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import Any

from django_stream.client import StreamClient
from django_stream.client.encoding import plain
from django_stream.client.exceptions import FeedConfigException, StreamApiException
from django_stream.conf import stream_settings
from django_stream.database.batches import batched
from django_stream.operations.listed_follows import listed_follows
from django_stream.protocol import limits
from django_stream.protocol.feed_ids import FeedID
from django_stream.protocol.persons import Held, Person

_BATCH = limits.ACTIVITIES_PER_REQUEST


def held(client: StreamClient, person: Person) -> Iterator[Held]:
    """All that the API tells of a person but their follows, section by section."""
    for user in client.users.get_many(sorted(person.user_ids))["users"]:
        yield Held("profile", plain(user))
    for some in batched(_ids(client, person, "activity_ids"), _BATCH):
        for activity in client.get_activities(ids=some)["results"]:
            yield Held("activities", plain(activity))
    for some in batched(_ids(client, person, "reaction_ids"), _BATCH):
        found: list[Any] = list(client.reactions.get_many(some)["reactions"])
        yield from (Held("reactions", plain(one)) for one in found)
    for feed in feeds_there(client, person):
        if FeedID.parse(feed).slug == stream_settings.NOTIFICATION_FEED:
            for item in _items(client, feed):
                yield Held("notifications", plain(item))


def held_follows(client: StreamClient, person: Person) -> Iterator[Held]:
    """Their follows both ways, as far as the API lists them, and how many it does not."""
    not_listed: list[dict[str, Any]] = []
    for side in ("following", "followers"):
        for feed in feeds_there(client, person):
            listed = 0
            for one in listed_follows(getattr(client.feed(feed), side)):
                yield Held(side, plain(one))
                listed += 1
            if listed == limits.FOLLOW_REACHABLE:
                stats: Any = client.follow_stats(feed)["results"][side]
                if stats["count"] > listed:
                    not_listed.append({"feed": feed, "side": side, "count": stats["count"], "listed": listed})
    yield from (Held("follows that the API does not list", one) for one in not_listed)


def erase(client: StreamClient, person: Person) -> Iterator[tuple[str, int]]:
    """Erase what the API knows of a person: what it was, and how much. It may be begun again at any time."""
    feeds = feeds_there(client, person)
    yield "activities", _each(_ids(client, person, "activity_ids"), lambda some: _empty(client, feeds, some))
    yield (
        "reactions",
        _each(_ids(client, person, "reaction_ids"), lambda some: client.data_privacy.delete_reactions(some)),
    )
    yield "what others put on their feeds", sum(_take_off(client, feed) for feed in feeds)
    yield "follows", sum(_unfollow(client, feed) for feed in feeds)
    yield "users", len(client.users.get_many(sorted(person.user_ids))["users"])
    client.users.delete_many(sorted(person.user_ids))


def feeds_there(client: StreamClient, person: Person) -> list[str]:
    """Their feeds, without those of groups that the API does not have."""
    there = []
    for feed in sorted(person.feeds):
        try:
            client.feed(feed).get(limit=1)
        except FeedConfigException:
            continue
        there.append(feed)
    return there


def _ids(client: StreamClient, person: Person, name: str) -> list[str]:
    found: dict[str, None] = {}
    for who in sorted(person.names):
        export: Any = client.data_privacy.export_ids(who)["export"]
        found |= dict.fromkeys(export[name])
    return list(found)


def _each(ids: list[str], work: Callable[[list[str]], object]) -> int:
    for some in batched(ids, _BATCH):
        work(some)
    return len(ids)


def _empty(client: StreamClient, feeds: list[str], ids: list[str]) -> None:
    """Empty activities, and take them off their author's feeds and their recipients'."""
    told = {one["id"]: one for one in map(plain, client.get_activities(ids=ids)["results"])}
    client.data_privacy.delete_activities(
        {"id": one, "remove_from_feeds": sorted({*feeds, *(told.get(one, {}).get("to") or ())})}
        for one in ids
    )


def _unfollow(client: StreamClient, feed_id: str) -> int:
    """End its follows, both ways: page after page, until none is left."""
    feed, count = client.feed(feed_id), 0
    while True:
        found = [*listed_follows(feed.following), *listed_follows(feed.followers)]
        pairs = {(one["feed_id"], one["target_id"]) for one in found}
        if not pairs:
            return count
        client.unfollow_many({"source": source, "target": target} for source, target in sorted(pairs))
        count += len(pairs)


def _items(client: StreamClient, feed_id: str) -> Iterator[Any]:
    after: dict[str, Any] = {}
    while page := client.feed(feed_id).get(limit=limits.PAGE_MAX, **after)["results"]:
        yield from page
        after = {"id_lt": page[-1]["id"]}


def _take_off(client: StreamClient, feed_id: str) -> int:
    """What others addressed to the feed loses that recipient; what nothing else brought is taken off."""
    count, seen = 0, set[str]()
    while found := [one for one in _activities(client, feed_id) if one["id"] not in seen]:
        for activity in found:
            seen.add(activity["id"])
            count += _unaddress(client, feed_id, activity)
    return count


def _activities(client: StreamClient, feed_id: str) -> Iterable[Any]:
    """Those that are addressed to a feed or were posted there, as far as its page shows them."""
    for item in _items(client, feed_id):
        for activity in item.get("activities", [item]):
            if not activity.get("origin"):
                yield plain(activity)


def _unaddress(client: StreamClient, feed_id: str, activity: Any) -> int:
    foreign_id = activity.get("foreign_id")
    if foreign_id and feed_id in (activity.get("to") or ()):
        # Its actor alone tells who posted it; what was posted elsewhere goes from this feed all the same.
        home = f"{stream_settings.USER_FEED}:{str(activity['actor']).rpartition(':')[2]}"
        with suppress(StreamApiException, ValueError):
            client.feed(home).update_activity_to_targets(
                foreign_id, activity["time"], removed_targets=[feed_id]
            )
    client.feed(feed_id).remove_activity(activity["id"])
    return 1
