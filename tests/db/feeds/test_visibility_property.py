"""Whatever people follow, mute, block, dismiss and hide: each viewer finds exactly what is theirs to see."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser, User
from django.db import transaction
from django.template import engines
from django.test import RequestFactory
from hypothesis import HealthCheck, given, settings
from rest_framework.test import APIRequestFactory, force_authenticate

from django_stream import feeds
from django_stream.api import FeedView, NotificationsView, ReactionsView
from django_stream.api.people import FollowView, NotificationCountView
from django_stream.notifications import Digest, dismiss, dismiss_all
from django_stream.protocol.wire import is_group, members
from django_stream.publishing.publisher import publishers_of
from django_stream.syndication import ActivityStreamsView, AtomView, JsonFeedView
from django_stream.tracking import register_visibility
from django_stream.views import FeedListView
from tests.db.feeds.visibility_world import World, drawn_worlds, shows_cheers
from tests.testapp.models import Cheer, Moment, Praise, Whisper

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("people", "reactions_that_notify"),
    pytest.mark.urls("tests.db.site.urls"),
]


ASKED = {"counts": True, "recent": True}


@pytest.fixture
def reactions_that_notify(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Authors are told of reactions, to a foreign key and to a generic one."""
    settings.STREAM_API_REACTIONS = ("whisper", "cheer")
    register_visibility(Cheer, shows_cheers)
    for model, to in ((Whisper, lambda row: row.moment.author), (Cheer, lambda row: row.thing.author)):
        (publisher,) = publishers_of(model)
        monkeypatch.setattr(publisher, "declaration", replace(publisher.declaration, to=to))  # type: ignore[attr-defined]


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(drawn=drawn_worlds)
def test_each_viewer_finds_exactly_what_is_theirs_to_see(drawn: dict[str, Any]) -> None:
    with transaction.atomic():
        world = World(drawn)
        for viewer in (*world.people, None):
            for name, owner, reader in readers(world, viewer):
                check(world, viewer, reader)
                check_tags(world, viewer, name, owner, reader)
            if viewer is not None:
                check_badge(world, viewer)
                check_digest(world, viewer)
                check_reaction_lists(world, viewer)
                check_people(world, viewer)
        for viewer in world.people:
            check_dismissals(viewer)
        transaction.set_rollback(True)


def readers(world: World, viewer: User | None) -> Iterator[tuple[str, User, feeds.FeedReader]]:
    for someone in world.people:
        yield "profile", someone, feeds.profile(someone, viewer=viewer)
        yield "timeline", someone, feeds.timeline(someone).seen_by(viewer)
    if viewer is not None:
        yield "timeline_aggregated", viewer, feeds.timeline(viewer, "timeline_aggregated")
        yield "notifications", viewer, feeds.notifications(viewer)


def check(world: World, viewer: User | None, reader: feeds.FeedReader) -> None:
    expected = world.expected(viewer, reader)
    shown = all_of(reader)
    assert ids_in(shown) == expected
    answer = json_of(reader, viewer)
    assert ids_in(answer["results"]) == expected
    assert world.told_wrongly(json.dumps(answer), shown) == []
    assert ids_in(listed(reader, viewer)) == expected
    if viewer is None:
        check_syndicated(world, reader, shown)
    for entry in shown:
        if is_group(entry):
            actors = {one["actor"] for one in entry["activities"]}
            assert (entry["activity_count"], entry["actor_count"]) == (len(members(entry)), len(actors))
        for activity in members(entry):
            if target := activity.get("target"):
                assert not (isinstance(target, User) and world.hides(viewer, target))
            check_reactions(world, viewer, activity)
    if shown and not is_group(shown[0]):
        check_filters(reader, shown)


def check_reactions(world: World, viewer: User | None, activity: Any) -> None:
    if "reaction_counts" not in activity:
        return
    is_moment = activity["foreign_id"].startswith("testapp.Moment:")
    seen = world.reactions(viewer, activity["object"]) if is_moment else {}
    for kind in ("whisper", "cheer"):
        users = [str(one.user_id) for one in seen.get(kind, ())]
        found = [one["user_id"] for one in activity["latest_reactions"].get(kind, ())]
        assert sorted(found) == sorted(users)
        # A query cannot count what a generic key leads to: where the list has not all, there is no number.
        unknown = {None} if kind == "cheer" else set()
        assert activity["reaction_counts"].get(kind, None if unknown else 0) in {len(users), *unknown}


def check_filters(reader: feeds.FeedReader, shown: list[Any]) -> None:
    oldest = [one["id"] for one in reader.page(limit=100, order="oldest")]
    assert oldest == [one["id"] for one in reversed(shown)]
    verb, actor = shown[0]["verb"], shown[-1]["actor"]
    some = reader.page(limit=100, verb=verb, actor=actor)
    assert [one["id"] for one in some] == [
        one["id"] for one in shown if (one["verb"], one["actor"]) == (verb, actor)
    ]


def check_tags(world: World, viewer: User | None, name: str, owner: User, reader: feeds.FeedReader) -> None:
    """The page that a template makes by itself, with its reactions and its badge."""
    shown = all_of(reader)
    html = rendered(
        "{% stream_feed name owner=owner limit=100 reactions=asked as page %}{% render_feed page %}"
        "{% for one in page %}<i id={{ one.id }}>{% reactions one %}</i>{% endfor %}",
        viewer,
        name=name,
        owner=owner,
        asked=ASKED if name in {"profile", "timeline"} else {},
    )
    assert re.findall(r'data-stream-entry="([^"]+)"', html) == [one["id"] for one in shown]
    assert world.told_wrongly(html, shown) == []
    for entry in shown:
        (told,) = re.findall(rf"<i id={entry['id']}>(.*?)</i>", html, re.DOTALL)
        is_moment = str(entry.get("foreign_id")).startswith("testapp.Moment:")
        seen = world.reactions(viewer, entry["object"]) if is_moment else {}
        for kind, number in re.findall(r"(\w+): (\d+)", told):
            assert int(number) == len(seen[kind])


def check_badge(world: World, viewer: User) -> None:
    reader = feeds.notifications(viewer)
    page, shown = reader.page(limit=2), all_of(reader)
    unseen = sum(not one["is_seen"] for one in shown)
    unread = [one for one in shown if not one["is_read"]]
    assert (feeds.unseen(viewer), page.unseen, page.unread) == (unseen, unseen, len(unread))
    counts = json.loads(answered(NotificationCountView, viewer).render().content)
    assert counts == {"unseen": unseen, "unread": len(unread)}
    (told,) = re.findall(r"\d+", rendered("{% notification_badge %}", viewer)) or ("0",)
    assert int(told) == unseen
    in_unread = sorted(one["id"] for entry in unread for one in members(entry))
    assert sorted(one["id"] for one in reader.unread_activities(limit=100)) == in_unread


def check_digest(world: World, viewer: User) -> None:
    """An e-mail tells of what the page shows, and its texts name nobody and nothing else."""
    digest = Digest(viewer, datetime(2000, 1, 1, tzinfo=UTC))
    unwanted = world.unwanted.get((viewer, "by_email"), set())
    in_feed = world.unwanted.pop((viewer, "in_feed"), set())
    expected = world.expected(viewer, feeds.notifications(viewer))
    world.unwanted[viewer, "in_feed"] = in_feed
    told = [one["id"] for entry in digest.entries for one in members(entry)]
    visible = {one for ids in expected for one in ids}
    assert set(told) <= visible
    assert not unwanted & {one["verb"] for entry in digest.entries for one in members(entry)}
    if not in_feed and not unwanted:
        shown = [one for one in all_of(feeds.notifications(viewer)) if not one["is_seen"]]
        assert ids_in(digest.entries) == ids_in(shown)
    assert ids_in(json.loads(answered(NotificationsView, viewer).render().content)["results"]) == (
        world.expected(viewer, feeds.notifications(viewer))
    )
    message = digest.message()
    texts = " ".join([message.subject, str(message.body), str(message.alternatives[0][0])])
    assert world.told_wrongly(texts, list(digest.entries)) == []


def check_reaction_lists(world: World, viewer: User) -> None:
    """The lists of a moment's reactions are there for who sees the moment, with what they see of them."""
    for moment in Moment.objects.all():
        # Of the muted there are no feeds, but pages of their own.
        is_there = not world.blocked(viewer, moment.author) and world.may_read(viewer, moment)
        for kind, rows in world.reactions(viewer, moment).items():
            captures = {"kind": kind, "label": "testapp.Moment", "key": str(moment.pk)}
            answer = answered(ReactionsView, viewer, **captures)
            assert answer.status_code == (200 if is_there else 404)
            if is_there:
                found = json.loads(answer.render().content)["results"]
                assert [one["id"] for one in found] == [str(one.pk) for one in rows]


def check_people(world: World, viewer: User) -> None:
    """Who is blocked is in no list of people, and there is no such person to follow."""
    for someone in world.people:
        hidden = world.blocked(viewer, someone)
        assert answered(FollowView, viewer, key=str(someone.pk)).status_code == (404 if hidden else 200)
        for side, mine, theirs in (("followers", 1, 0), ("following", 0, 1)):
            pairs = [pair for pair in world.follows if pair[mine] == someone.pk]
            found = getattr(feeds, side)(someone, viewer=viewer).page(limit=100)
            others = {User.objects.get(pk=pair[theirs]) for pair in pairs}
            assert set(found) == {one for one in others if not world.blocked(viewer, one)}
    praises = list(Praise.objects.all())
    seen = [one for one in praises if not world.blocked(viewer, one.by)]
    assert feeds.visible_to(viewer, praises) == seen


def check_dismissals(viewer: User) -> None:
    """What is dismissed is on no page and in no count, and the rest is as before."""
    shown = all_of(feeds.notifications(viewer))
    unseen = feeds.unseen(viewer)
    if shown:
        assert dismiss(viewer, shown[0])
        unseen -= not shown[0]["is_seen"]
    assert [one["id"] for one in all_of(feeds.notifications(viewer))] == [one["id"] for one in shown[1:]]
    assert feeds.unseen(viewer) == unseen
    dismiss_all(viewer)
    assert (all_of(feeds.notifications(viewer)), feeds.unseen(viewer)) == ([], 0)


def all_of(reader: feeds.FeedReader) -> list[Any]:
    """Read two by two, so that pages are filled up and follow one another."""
    asked: Any = {"reactions": ASKED} if reader.feed.slug in {"user", "timeline"} else {}
    page = reader.page(limit=2, **asked)
    found = [*page]
    while page.next:
        assert len(page) == 2
        page = reader.page(limit=2, cursor=page.next, **asked)
        found += page
    return found


def json_of(reader: feeds.FeedReader, viewer: User | None) -> Any:
    class View(FeedView):
        permission_classes = ()

        def reader(self, request: Any, **captures: str) -> feeds.FeedReader:
            return feeds.FeedReader(reader.feed)

    return json.loads(answered(View, viewer).render().content)


def listed(reader: feeds.FeedReader, viewer: User | None) -> Any:
    class View(FeedListView):
        template_name = "django_stream/badge.html"
        paginate_by = 100

        def reader(self) -> feeds.FeedReader:
            return reader

    return View.as_view()(asked_by(viewer)).context_data["page_obj"]


def answered(view: Any, viewer: User | None, **captures: str) -> Any:
    request = APIRequestFactory().get("/", {"limit": "100"})
    force_authenticate(request, viewer)
    return view.as_view()(request, **captures)


def asked_by(viewer: User | None) -> Any:
    request = RequestFactory().get("/")
    request.user = viewer or AnonymousUser()
    return request


def rendered(source: str, viewer: User | None, **context: Any) -> str:
    template = engines["django"].from_string("{% load django_stream %}" + source)
    return str(template.render(context, asked_by(viewer)))


def check_syndicated(world: World, reader: feeds.FeedReader, shown: list[Any]) -> None:
    """The public forms show what visitors see, to whom it may be hidden, too."""
    expected = [ids[0] for ids in ids_in(shown)]
    for view in (AtomView, JsonFeedView, ActivityStreamsView):
        options: Any = {"reader": lambda request: reader.seen_by(feeds.SEES_ALL), "limit": 100}
        text = view.as_view(**options)(asked_by(world.people[0])).content.decode()
        assert [one.removeprefix("urn:uuid:") for one in _ids_of(view, text)] == expected
        assert world.told_wrongly(text, shown) == []


def _ids_of(view: Any, text: str) -> list[str]:
    if view is AtomView:
        return [str(one.text) for one in ElementTree.fromstring(text).findall("{*}entry/{*}id")]
    return [one["id"] for one in json.loads(text)["items" if view is JsonFeedView else "orderedItems"]]


def ids_in(entries: Any) -> list[list[str]]:
    return [[one["id"] for one in members(entry)] for entry in entries]
