"""What the feeds should hold, computed from the tables of the test models in plain Python.

Nothing here uses the code that publishes.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator
from datetime import datetime
from typing import Any, NamedTuple

from tests.testapp.models import Article, Club, Comment, Opinion, Reading, Subscription, Tag, Video

NEWS = ("timeline", "timeline_aggregated")
GROUPED = ("timeline_aggregated", "notification")
SHOWN_OF_GROUP = 15
PAGE = 100


Item = dict[str, Any]
"""An activity or a group, as the API answers it."""


class Entry(NamedTuple):
    """An activity, as far as the tables tell it."""

    foreign_id: str
    actor: str
    verb: str
    time: datetime
    title: str | None = None
    to: tuple[str, ...] = ()
    target: str | None = None


def wanted_feeds() -> dict[str, set[Entry]]:
    """Every feed that should hold something, but for what reactions tell of themselves."""
    feeds: dict[str, set[Entry]] = defaultdict(set)
    for article in Article.objects.filter(is_public=True).prefetch_related("mentioned"):
        to = tuple(sorted(f"notification:{user.pk}" for user in article.mentioned.all()))
        editor = f"auth.User:{article.editor_id}" if article.editor_id else None
        details = article.title, to, editor
        entry = Entry(
            _name(article), f"auth.User:{article.author_id}", "publish", article.published_at, *details
        )
        for feed in (f"user:{article.author_id}", *to):
            feeds[feed].add(entry)
    for row, owner, verb in _plain_rows():
        target = f"testapp.Article:{row.article_id}" if verb == "comment" else None
        entry = Entry(_name(row), f"auth.User:{owner}", verb, row.created_at, target=target)
        feeds[f"user:{owner}"].add(entry)
    for reader, writer in _follows():
        for slug in NEWS:
            feeds[f"{slug}:{reader}"] |= feeds.get(f"user:{writer}", set())
    return feeds


def _plain_rows() -> Iterator[tuple[Any, Any, str]]:
    for model, verb in ((Comment, "comment"), (Tag, "tag"), (Video, "film")):
        for row in model.objects.all():
            yield row, row.user_id, verb
    for reading in Reading.objects.all():
        yield reading, reading.reader_id, "reading"


def _name(row: Any) -> str:
    pk = row.pk
    if isinstance(pk, tuple):
        pk = json.dumps([str(part) for part in pk], separators=(",", ":"))
    return f"{row._meta.label}:{pk}"


def _follows() -> Iterator[tuple[Any, Any]]:
    yield from Subscription.objects.values_list("reader_id", "writer_id")
    yield from Club.watched.through.objects.values_list("club_id", "user_id")


def _opinions() -> list[Opinion]:
    return list(Opinion.objects.filter(article__is_public=True).select_related("article"))


def objects_there() -> int:
    """How many objects the feeds should know: activities, reactions, and pairs, of whatever many rows."""
    activities = [*Article.objects.filter(is_public=True), *_plain_rows()]
    pairs = Subscription.objects.values("reader_id", "writer_id").distinct().count()
    return len(activities) + pairs + Club.watched.through.objects.count() + len(_opinions())


def check_feeds(owners: Collection[int]) -> None:
    """Feeds, follows and reactions of these users and clubs, dead or alive, equal the tables."""
    slugs = ("user", *NEWS, "notification")
    found = {f"{slug}:{owner}": list(_items_of(slug, owner)) for owner in owners for slug in slugs}
    told = _check_reactions(owners, found)
    wanted = wanted_feeds()
    for feed, items in found.items():
        others = [item for item in items if item not in told]
        check = _check_groups if feed.startswith(GROUPED) else _check_flat
        check(others, wanted.get(feed, set()))
    _check_follows(owners)


def _check_flat(items: list[Item], wanted: set[Entry]) -> None:
    found = [_entry_of(item) for item in items]
    assert sorted(found, key=str) == sorted(wanted, key=str)
    assert [entry.time for entry in found] == _newest_first(found)


def _check_groups(items: list[Item], wanted: set[Entry]) -> None:
    """Groups count all of their activities and show the newest ones."""
    groups: dict[str, list[Entry]] = defaultdict(list)
    for entry in wanted:
        groups[f"{entry.verb}_{entry.time:%Y-%m-%d}"].append(entry)
    assert sorted((item["group"], item["activity_count"], item["actor_count"]) for item in items) == sorted(
        (name, len(entries), len({entry.actor for entry in entries})) for name, entries in groups.items()
    )
    for item in items:
        shown, entries = [_entry_of(activity) for activity in item["activities"]], groups[item["group"]]
        assert [entry.time for entry in shown] == _newest_first(entries)[:SHOWN_OF_GROUP]
        assert sorted(set(shown) - set(entries), key=str) == []
        assert len(set(shown)) == len(shown)


def _check_follows(owners: Collection[int]) -> None:
    from django_stream.feeds.manager import feed_manager

    wanted: dict[int, set[str]] = defaultdict(set)
    for reader, writer in _follows():
        wanted[reader].add(f"user:{writer}")
    for owner in owners:
        found = feed_manager.get_feed("timeline", owner).following(limit=100)["results"]
        assert sorted(follow["target_id"] for follow in found) == sorted(wanted[owner])


def _check_reactions(owners: Collection[int], feeds: dict[str, list[Item]]) -> list[Item]:
    """Opinions are on the activities that their articles have now, and authors are told; the notices."""
    from django_stream.homes import get_client

    ids = {item["foreign_id"]: item["id"] for owner in owners for item in feeds[f"user:{owner}"]}
    wanted: dict[int, list[tuple[str, str]]] = defaultdict(list)
    told: dict[int, list[tuple[str, str]]] = defaultdict(list)
    for opinion in _opinions():
        activity = ids.get(_name(opinion.article), "")
        wanted[opinion.user_id].append((activity, opinion.text))
        told[opinion.article.author_id].append((f"SU:{opinion.user_id}", f"SA:{activity}"))
    notices: list[Item] = []
    for owner in owners:
        reactions = get_client().reactions.filter(user_id=str(owner), limit=100)["results"]
        found = [(reaction["activity_id"], reaction["data"]["text"]) for reaction in reactions]
        assert sorted(found) == sorted(wanted[owner])
        groups = [item for item in feeds[f"notification:{owner}"] if item["group"].startswith("opinion_")]
        shown = Counter((one["actor"], one["object"]) for item in groups for one in item["activities"])
        assert shown - Counter(told[owner]) == Counter()
        assert sum(item["activity_count"] for item in groups) == len(told[owner])
        notices += groups
    return notices


def entries_of(slug: str, owner: Any) -> Iterator[Entry]:
    """All entries that one feed shows, page by page; a group shows only its newest."""
    for item in _items_of(slug, owner):
        for activity in item.get("activities", [item]):
            yield _entry_of(activity)


def _items_of(slug: str, owner: Any) -> Iterator[Item]:
    from django_stream.feeds.manager import feed_manager

    feed = feed_manager.get_feed(slug, owner)
    options: dict[str, Any] = {}
    while True:
        page = feed.get(limit=PAGE, **options)["results"]
        yield from page
        if len(page) < PAGE:
            return
        options = {"id_lt": page[-1]["id"]}


def _entry_of(activity: Item) -> Entry:
    return Entry(
        *(activity[name] for name in ("foreign_id", "actor", "verb", "time")),
        title=activity.get("title"),
        to=tuple(sorted(activity.get("to", ()))),
        target=activity.get("target") or None,
    )


def _newest_first(entries: Collection[Entry]) -> list[datetime]:
    return sorted((entry.time for entry in entries), reverse=True)
