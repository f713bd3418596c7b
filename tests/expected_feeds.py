"""What the feeds should hold, computed from the tables of the test models in plain Python.

Nothing here uses the code that publishes.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator
from datetime import datetime
from typing import Any, NamedTuple

from django_stream.conf import stream_settings
from tests.testapp.models import Article, Club, Comment, Opinion, Reading, Subscription, Tag, Video
from tests.testapp.shop import Bookmark, Introduction, Product, Review, Vote

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
    for review in Review.objects.filter(approved=True).select_related("product"):
        owner = review.product.owner_id
        to = (f"notification:{owner}",) if owner and owner != review.user_id else ()
        entry = Entry(
            _name(review),
            f"auth.User:{review.user_id}",
            "review",
            review.written_at,
            to=to,
            target=f"SO:products:{review.product_id}",
        )
        for feed in (f"user:{review.user_id}", *to):
            feeds[feed].add(entry)
    for row, owner, verb in _plain_rows():
        target = f"testapp.Article:{row.article_id}" if verb == "comment" else None
        entry = Entry(_name(row), f"auth.User:{owner}", verb, row.created_at, target=target)
        feeds[f"user:{owner}"].add(entry)
    for reader, writer in _follows():
        for slug in _news():
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
    for reader, *writers in Introduction.objects.values_list("reader_id", "first_id", "second_id"):
        yield from ((reader, writer) for writer in writers)
    # They follow as long as they are there, whatever became of the thing.
    for mark in Bookmark.objects.filter(deleted=False).select_related("content_type"):
        is_club = mark.content_type.model == "club"
        yield mark.user_id, f"testapp-club-{mark.object_id}" if is_club else int(mark.object_id)
    for club, user in Club.watched.through.objects.values_list("club_id", "user_id"):
        yield f"testapp-club-{club}", user


class Reacted(NamedTuple):
    """A reaction by its user, the foreign id of the activity, its text, and who is told of it."""

    by: int
    to: str
    text: str | None
    told: int | None


def _reactions() -> Iterator[Reacted]:
    for row in Opinion.objects.filter(article__is_public=True).select_related("article"):
        yield Reacted(row.user_id, _name(row.article), row.text, row.article.author_id)
    for row in Vote.objects.filter(counts=True, review__approved=True).select_related("review"):
        author = row.review.user_id
        yield Reacted(row.user_id, _name(row.review), None, author if author != row.user_id else None)


def objects_there() -> int:
    """How many objects the feeds should know: activities, reactions, and pairs, of whatever many rows."""
    public = [*Article.objects.filter(is_public=True), *Review.objects.filter(approved=True)]
    things = [*public, *_plain_rows(), *_reactions(), *Product.objects.all()]
    return len(things) + Club.watched.through.objects.count() + sum(map(len, _pairs()))


def _pairs() -> Iterator[set[Any]]:
    """By the tables and columns that name them."""
    yield set(Subscription.objects.values_list("reader_id", "writer_id"))
    for name in ("first_id", "second_id"):
        yield set(Introduction.objects.values_list("reader_id", name))
    marks = Bookmark.objects.filter(deleted=False)
    yield set(marks.values_list("user_id", "content_type_id", "object_id"))


class Difference(NamedTuple):
    """Something lost, misplaced, doubled, or there though it should not be (a ghost)."""

    kind: str
    where: str
    what: Any


def check_feeds(owners: Collection[Any]) -> None:
    """Feeds, follows and reactions of these users and clubs, dead or alive, equal the tables."""
    assert list(differences(owners)) == []


def differences(owners: Collection[Any]) -> Iterator[Difference]:
    """All by which they do not."""
    slugs = ("user", *_news(), "notification")
    found = {f"{slug}:{owner}": list(_items_of(slug, owner)) for owner in owners for slug in slugs}
    notices = [item for items in found.values() for item in items if _is_notice(item)]
    yield from _in_reactions(owners, found)
    wanted = wanted_feeds()
    for feed, items in found.items():
        others = [item for item in items if item not in notices]
        compare = _in_groups if feed.startswith(GROUPED) else _in_flat
        yield from compare(feed, others, wanted.get(feed, set()))
    yield from _in_follows(owners)


def _compare(where: str, found: Iterable[Any], wanted: Iterable[Any]) -> Iterator[Difference]:
    there, should = Counter(found), Counter(wanted)
    for what in should - there:
        yield Difference("lost", where, what)
    for what in there - should:
        yield Difference("doubled" if what in should else "ghost", where, what)


def _in_flat(feed: str, items: list[Item], wanted: set[Entry]) -> Iterator[Difference]:
    found = [_entry_of(item) for item in items]
    yield from _compare(feed, found, wanted)
    yield from _in_order(feed, found)


def _in_groups(feed: str, items: list[Item], wanted: set[Entry]) -> Iterator[Difference]:
    """Groups count all of their activities and show the newest ones."""
    groups: dict[str, list[Entry]] = defaultdict(list)
    for entry in wanted:
        groups[f"{entry.verb}_{entry.time:%Y-%m-%d}"].append(entry)
    counts = ((item["group"], item["activity_count"], item["actor_count"]) for item in items)
    should = ((name, len(group), len({entry.actor for entry in group})) for name, group in groups.items())
    yield from _compare(feed, counts, should)
    for item in items:
        where, group = f"{feed} {item['group']}", groups[item["group"]]
        shown = [_entry_of(activity) for activity in item["activities"]]
        newest = _newest_first(group)[:SHOWN_OF_GROUP]
        yield from _compare(where, (entry.time for entry in shown), newest)
        # Of entries of one time any may be shown, but none twice, and no other.
        yield from _compare(where, shown, set(shown) & set(group))
        yield from _in_order(where, shown)


def _in_order(where: str, found: list[Entry]) -> Iterator[Difference]:
    times = [entry.time for entry in found]
    if times != _newest_first(found):
        yield Difference("misplaced", where, times)


def _in_follows(owners: Collection[Any]) -> Iterator[Difference]:
    from django_stream.feeds import feed_manager

    wanted: dict[Any, set[str]] = defaultdict(set)
    for reader, writer in _follows():
        wanted[reader].add(f"user:{writer}")
    for owner in owners:
        found = feed_manager.get_feed("timeline", owner).following(limit=100)["results"]
        yield from _compare(f"follows of {owner}", (follow["target_id"] for follow in found), wanted[owner])


def _in_reactions(owners: Collection[Any], feeds: dict[str, list[Item]]) -> Iterator[Difference]:
    """Opinions and votes are on the activities that their rows have now, and authors are told."""
    from django_stream.backends import get_client

    ids = {item["foreign_id"]: item["id"] for owner in owners for item in feeds[f"user:{owner}"]}
    wanted: dict[int, list[tuple[str, str]]] = defaultdict(list)
    told: dict[int, list[tuple[str, str]]] = defaultdict(list)
    for one in _reactions():
        activity = ids.get(one.to, "")
        wanted[one.by].append((activity, one.text))
        if one.told is not None:
            told[one.told].append((f"SU:{one.by}", f"SA:{activity}"))
    for owner in owners:
        reactions = get_client().reactions.filter(user_id=str(owner), limit=100)["results"]
        found = [(reaction["activity_id"], reaction["data"].get("text")) for reaction in reactions]
        yield from _compare(f"reactions of {owner}", found, wanted[owner])
        groups = [item for item in feeds[f"notification:{owner}"] if _is_notice(item)]
        shown = Counter((one["actor"], one["object"]) for item in groups for one in item["activities"])
        for notice in shown - Counter(told[owner]):
            yield Difference("ghost", f"notices of {owner}", notice)
        count = sum(item["activity_count"] for item in groups)
        yield from _compare(f"number of notices of {owner}", [count], [len(told[owner])])


def _is_notice(item: Item) -> bool:
    """What a reaction tells of itself."""
    return str(item.get("group", "")).startswith(("opinion_", "vote_"))


def _news() -> Collection[str]:
    return stream_settings.news_feeds.values()


def _items_of(slug: str, owner: Any) -> Iterator[Item]:
    from django_stream.feeds import feed_manager

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
