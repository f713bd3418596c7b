"""Whatever people follow, mute, block and hide: each viewer finds exactly what is theirs to see."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rest_framework.test import APIRequestFactory, force_authenticate

from django_stream import feeds
from django_stream.api import FeedView, NotificationsView, ReactionsView
from django_stream.notifications import Digest, dismiss, dismiss_all
from django_stream.protocol.wire import is_group, members
from django_stream.syndication import AtomView
from django_stream.tracking import drain
from tests.testapp.models import Block, Moment, Mute, Praise, Quote, Subscription, Whisper

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("people", "api_of_whispers"),
    pytest.mark.urls("tests.db.site.urls"),
]

PEOPLE = 4
person = st.integers(0, PEOPLE - 1)
pairs = st.sets(st.tuples(person, person).filter(lambda pair: pair[0] != pair[1]), max_size=5)
moments = st.lists(
    st.tuples(person, st.sampled_from(["all", "followers", "self"]), st.none() | person, st.sets(person)),
    min_size=1,
    max_size=5,
)
# By whom, and of which of the moments (or praises) before.
words = st.lists(st.tuples(person, st.integers(0, 4)), max_size=5)


@pytest.fixture
def api_of_whispers(settings: Any) -> None:
    settings.STREAM_API_REACTIONS = ("whisper",)


class World:
    """Rows as they were drawn, and an independent account of who may see them."""

    def __init__(self, drawn: dict[str, Any]) -> None:
        self.people = [User.objects.create(username=str(number)) for number in range(PEOPLE)]
        for a, b in drawn["follows"]:
            Subscription.objects.create(reader=self.people[a], writer=self.people[b])
        for day, (author, audience, at, mentioned) in enumerate(drawn["moments"], start=1):
            moment = Moment.objects.create(
                author=self.people[author],
                audience=audience,
                at=None if at is None else self.people[at],
                created_at=f"2026-01-{day:02}T12:00:00Z",
            )
            moment.mentioned.set([self.people[one] for one in mentioned])
        for by, which in drawn["praises"]:
            Praise.objects.create(by=self.people[by], moment=self._one_of(Moment, which))
        for user, which in drawn["quotes"] if drawn["praises"] else ():
            Quote.objects.create(user=self.people[user], praise=self._one_of(Praise, which))
        for user, which in drawn["whispers"]:
            moment = self._one_of(Moment, which)
            Whisper.objects.create(user=self.people[user], moment=moment, secret=which % 2)
        drain()
        Mute.objects.bulk_create(Mute(by=self.people[a], of=self.people[b]) for a, b in drawn["mutes"])
        for a, b in drawn["blocks"]:
            Block.objects.create(by=self.people[a], of=self.people[b])
        drain()
        self.follows = set(Subscription.objects.values_list("reader", "writer"))
        self.mutes = set(Mute.objects.values_list("by", "of"))
        self.blocks = set(Block.objects.values_list("by", "of"))

    @staticmethod
    def _one_of(model: Any, number: int) -> Any:
        rows = list(model.objects.order_by("pk"))
        return rows[number % len(rows)]

    def hides(self, viewer: User | None, someone: User) -> bool:
        if viewer is None:
            return False
        pair = (viewer.pk, someone.pk)
        return pair in self.mutes or pair in self.blocks or pair[::-1] in self.blocks

    def shows_moment(self, viewer: User | None, moment: Moment) -> bool:
        return not self.hides(viewer, moment.author) and self._is_in_audience(self.follows, viewer, moment)

    @staticmethod
    def _is_in_audience(follows: set[Any], viewer: User | None, moment: Moment) -> bool:
        if moment.audience == "followers" and viewer is not None:
            return viewer == moment.author or (viewer.pk, moment.author_id) in follows
        return moment.audience == "all" or viewer == moment.author

    def may_read(self, viewer: User, moment: Moment) -> bool:
        """Whether `visible_to` of the model shows it, whoever is muted or blocked."""
        return self._is_in_audience(self.follows, viewer, moment)

    def shows(self, viewer: User | None, activity: dict[str, Any]) -> bool:
        label, pk = activity["foreign_id"].split(":")
        if label == "testapp.Moment":
            return self.shows_moment(viewer, Moment.objects.get(pk=pk))
        if label == "testapp.Praise":
            praise = Praise.objects.get(pk=pk)
            return not self.hides(viewer, praise.by) and self.shows_moment(viewer, praise.moment)
        quote = Quote.objects.get(pk=pk)
        return not (self.hides(viewer, quote.user) or self.hides(viewer, quote.praise.by))

    def whispers(self, viewer: User | None, moment: Moment) -> set[str]:
        return {
            str(one.user_id)
            for one in moment.whispers.all()
            if not (self.hides(viewer, one.user) or (one.secret and viewer != one.user))
        }


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    drawn=st.fixed_dictionaries(
        {
            "follows": pairs,
            "mutes": pairs,
            "blocks": pairs,
            "moments": moments,
            "praises": words,
            "quotes": words,
            "whispers": words,
        }
    )
)
def test_each_viewer_finds_exactly_what_is_theirs_to_see(drawn: dict[str, Any]) -> None:
    with transaction.atomic():
        world = World(drawn)
        for viewer in (*world.people, None):
            for reader in readers(world, viewer):
                check(world, viewer, reader)
            if viewer is not None:
                check_badge(world, viewer)
                check_digest(world, viewer)
                check_reaction_lists(world, viewer)
        for viewer in world.people:
            check_dismissals(viewer)
        transaction.set_rollback(True)


def readers(world: World, viewer: User | None) -> Iterator[feeds.FeedReader]:
    for someone in world.people:
        yield feeds.profile(someone, viewer=viewer)
        yield feeds.timeline(someone).seen_by(viewer)
    if viewer is not None:
        yield feeds.timeline(viewer, "timeline_aggregated")
        yield feeds.notifications(viewer)


def check(world: World, viewer: User | None, reader: feeds.FeedReader) -> None:
    everything = reader.feed.get(limit=100)["results"]
    expected = [[one["id"] for one in members(entry) if world.shows(viewer, one)] for entry in everything]
    expected = [ids for ids in expected if ids]
    shown = all_of(reader)
    assert [[one["id"] for one in members(entry)] for entry in shown] == expected
    assert ids_in(json_of(reader, viewer)) == expected
    if viewer is None:
        assert syndicated(reader) == [ids[0] for ids in expected]
    for entry in shown:
        if is_group(entry):
            actors = {one["actor"] for one in entry["activities"]}
            assert (entry["activity_count"], entry["actor_count"]) == (len(members(entry)), len(actors))
        for activity in members(entry):
            if target := activity.get("target"):
                assert not (isinstance(target, User) and world.hides(viewer, target))
            check_reactions(world, viewer, activity)


def check_reactions(world: World, viewer: User | None, activity: Any) -> None:
    if not (isinstance(activity["object"], Moment) and "reaction_counts" in activity):
        return
    row = activity["object"] if activity["foreign_id"].startswith("testapp.Moment:") else None
    users = world.whispers(viewer, row) if row else set()
    listed = [one["user_id"] for one in activity["latest_reactions"].get("whisper", ())]
    assert set(listed) == users
    count = row.whispers.filter(user__in=users) if row else Whisper.objects.none()
    visible = [one for one in count if not one.secret or one.user == viewer]
    assert activity["reaction_counts"].get("whisper", 0) == len(visible) == len(listed)


def check_badge(world: World, viewer: User) -> None:
    page = feeds.notifications(viewer).page(limit=2)
    shown = all_of(feeds.notifications(viewer))
    assert feeds.unseen(viewer) == page.unseen == page.unread == len(shown)


def check_digest(world: World, viewer: User) -> None:
    """An e-mail tells of what the page shows, and its texts name nobody and nothing else."""
    shown = all_of(feeds.notifications(viewer))
    digest = Digest(viewer, datetime(2000, 1, 1, tzinfo=UTC))
    assert [one["id"] for one in digest.entries] == [one["id"] for one in shown]
    assert ids_in(json_answer(NotificationsView, viewer)) == [
        [one["id"] for one in members(entry)] for entry in shown
    ]
    message = digest.message()
    told = " ".join([message.subject, str(message.body), str(message.alternatives[0][0])])
    named = {str(one[name]) for entry in shown for one in members(entry) for name in ("actor", "object")}
    rows = [*Moment.objects.all(), *Praise.objects.all()]
    assert [str(row) for row in rows if str(row) in told and str(row) not in named] == []


def check_reaction_lists(world: World, viewer: User) -> None:
    """The list of a moment's whispers is there for who sees the moment, with what they see of them."""
    for moment in Moment.objects.all():
        answer = answered(ReactionsView, viewer, kind="whisper", label="testapp.Moment", key=str(moment.pk))
        blocks = {*world.blocks, *(pair[::-1] for pair in world.blocks)}
        # Of the muted there are no feeds, but pages of their own.
        blocked = (viewer.pk, moment.author_id) in blocks
        if blocked or not world.may_read(viewer, moment):
            assert answer.status_code == 404
            continue
        found = json.loads(answer.render().content)["results"]
        seen = [
            one
            for one in moment.whispers.order_by("-pk")
            if not (world.hides(viewer, one.user) or (one.secret and viewer != one.user))
        ]
        assert [one["id"] for one in found] == [str(one.pk) for one in seen]


def check_dismissals(viewer: User) -> None:
    """What is dismissed is on no page and in no count, and the rest is as before."""
    shown = all_of(feeds.notifications(viewer))
    if shown:
        assert dismiss(viewer, shown[0])
    assert [one["id"] for one in all_of(feeds.notifications(viewer))] == [one["id"] for one in shown[1:]]
    assert feeds.unseen(viewer) == len(shown[1:])
    dismiss_all(viewer)
    assert (all_of(feeds.notifications(viewer)), feeds.unseen(viewer)) == ([], 0)


def all_of(reader: feeds.FeedReader) -> list[Any]:
    """Read two by two, so that pages are filled up and follow one another."""
    asked = {"reactions": {"counts": True, "recent": True}} if reader.feed.slug == "user" else {}
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

    request = APIRequestFactory().get("/", {"limit": "100"})
    force_authenticate(request, viewer)
    return json.loads(View.as_view()(request).render().content)["results"]


def json_answer(view: Any, viewer: User | None) -> Any:
    return json.loads(answered(view, viewer).render().content)["results"]


def answered(view: Any, viewer: User | None, **captures: str) -> Any:
    request = APIRequestFactory().get("/", {"limit": "100"})
    force_authenticate(request, viewer)
    return view.as_view()(request, **captures)


def syndicated(reader: feeds.FeedReader) -> list[str]:
    view = AtomView.as_view(reader=lambda request: reader, limit=100)
    found = ElementTree.fromstring(view(APIRequestFactory().get("/")).content)
    ids = found.findall("{*}entry/{*}id")
    return [str(one.text).removeprefix("urn:uuid:") for one in ids]


def ids_in(entries: Any) -> list[list[str]]:
    return [[one["id"] for one in members(entry)] for entry in entries]
