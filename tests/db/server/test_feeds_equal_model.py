"""Whatever is done in whatever order, feeds are what a few dictionaries say, and what a rebuild says."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from django_stream.database.dialect import Fragment
from django_stream.protocol.activity_ids import activity_id, sort_key
from django_stream.protocol.times import parse_time
from django_stream.server.fanout import jobs
from django_stream.server.models import (
    Activity,
    ActivityGroup,
    ActivityGroupEntry,
    Application,
    FanoutJob,
    Feed,
    GroupChange,
    PulledFeed,
    PulledPlacement,
    TimelineEntry,
)
from django_stream.server.timelines import activity_groups, timelines
from tests.contract.calling import ids, ok
from tests.db.server.feed_model import OWN, FeedModel
from tests.db.server.killed_fanouts import run_for
from tests.extras import needs

FLAT = ["user:1", "user:2", "user:3", "timeline:1", "timeline:2"]
GROUPED = ["aggregated:1", "notification:1"]
FEEDS = [*FLAT, *GROUPED]
GROUPS_BY_KIND = {"aggregation_format": '{{ kind }}_{{ time.strftime("%Y-%m-%d") }}'}
FEED_GROUPS = {
    "user": {"kind": "flat"},
    "timeline": {"kind": "flat"},
    "aggregated": {"kind": "aggregated", **GROUPS_BY_KIND},
    "notification": {"kind": "notification", **GROUPS_BY_KIND},
}
# Two share one time; two days, so that groups differ.
TIMES = {
    "a": "2026-01-01T10:00:00.000000",
    "b": "2026-01-01T10:00:00.000000",
    "c": "2026-01-01T11:00:00.000000",
    "d": "2026-01-02T10:00:00.000000",
    "e": "2026-01-02T11:00:00.000000",
}
IDS = {name: activity_id(parse_time(time), name) for name, time in TIMES.items()}
NAMES = {str(known): name for name, known in IDS.items()}
NEWEST_FIRST = sorted(TIMES, key=lambda name: (TIMES[name], IDS[name].int & 0xFFFFFFFFFFFFFFFF), reverse=True)

flat, feeds, activities = st.sampled_from(FLAT), st.sampled_from(FEEDS), st.sampled_from(sorted(TIMES))
# What was written, by whom and of which kind.
contents = st.tuples(st.sampled_from(["x", "y"]), st.sampled_from(["k", "l"]))
few_feeds = st.lists(feeds, max_size=3, unique=True)


def path(feed: str) -> str:
    return feed.replace(":", "/")


def body(name: str, content: tuple[str, str], **more) -> dict:
    actor, kind = content
    fields = {"actor": actor, "kind": kind, "verb": "v", "object": "o"}
    return {**fields, "foreign_id": name, "time": TIMES[name], **more}


class FeedMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.model = FeedModel()

    def teardown(self) -> None:
        try:
            self.settle()
            self.compare()
        finally:
            for model in (
                Application,
                Activity,
                Feed,
                TimelineEntry,
                ActivityGroup,
                ActivityGroupEntry,
                FanoutJob,
                GroupChange,
            ):
                model.objects.all().delete()

    def settle(self) -> None:
        """Work off what is still under way."""
        jobs.resume(idle_seconds=0)

    @rule(feed=feeds, name=activities, content=contents, to=few_feeds)
    def add(self, feed, name, content, to):
        ok("POST", f"feed/{path(feed)}/", body(name, content, to=to))
        self.model.write(name, *content)
        self.model.add(feed, name, to)

    @rule(many=st.lists(feeds, min_size=1, max_size=3, unique=True), name=activities, content=contents)
    def add_to_many(self, many, name, content):
        ok("POST", "feed/add_to_many/", {"activity": body(name, content), "feeds": many})
        self.model.write(name, *content)
        self.model.add_to_many(many, name)

    @rule(feed=feeds, name=activities)
    def remove(self, feed, name):
        ok("DELETE", f"feed/{path(feed)}/{IDS[name]}/")
        self.model.remove(feed, name)

    @precondition(lambda self: self.model.actors)
    @rule(content=contents, data=st.data())
    def update(self, content, data):
        name = data.draw(st.sampled_from(sorted(self.model.actors)))
        ok("POST", "activities/", {"activities": [body(name, content)]})
        self.model.write(name, *content)

    @rule(name=activities, gone_from=few_feeds)
    def erase(self, name, gone_from):
        item = {"id": str(IDS[name]), "remove_from_feeds": gone_from}
        ok("POST", "data_privacy/delete_activities/", {"activities": [item]})
        self.model.erase(name, gone_from)

    @precondition(lambda self: any(not post.targeted for post in self.model.posts.values()))
    @rule(new=few_feeds, data=st.data())
    def retarget(self, new, data):
        posted = sorted(pair for pair, post in self.model.posts.items() if not post.targeted)
        feed, name = data.draw(st.sampled_from(posted))
        change = {"foreign_id": name, "time": TIMES[name], "new_targets": new}
        ok("POST", f"feed_targets/{path(feed)}/activity_to_targets/", change)
        self.model.retarget(name, new)

    @rule(source=feeds, followed=flat, limit=st.sampled_from([0, 1, 2, 100]))
    def follow(self, source, followed, limit):
        if source == followed:
            return
        ok("POST", f"feed/{path(source)}/follows/", {"target": followed, "activity_copy_limit": limit})
        newest = [name for name in NEWEST_FIRST if name in self.model.forwarded(followed)]
        self.model.follow(source, followed, newest[:limit])

    @rule(source=feeds, followed=flat, keep_history=st.booleans())
    def unfollow(self, source, followed, keep_history):
        ok("DELETE", f"feed/{path(source)}/follows/{followed}/", keep_history=str(keep_history))
        self.model.unfollow(source, followed, keep_history=keep_history)

    @rule()
    def compare(self) -> None:
        for feed in FLAT:
            self.compare_flat(feed)
        for feed in GROUPED:
            self.compare_grouped(feed)
        self.compare_rebuilt()
        stored = {NAMES[str(activity.activity_id)]: activity.actor for activity in Activity.objects.all()}
        assert stored == self.model.actors

    def compare_flat(self, feed: str) -> None:
        shown = self.model.shown(feed)
        found = ok("GET", f"feed/{path(feed)}/")["results"]
        assert [NAMES[item["id"]] for item in found] == [name for name in NEWEST_FIRST if name in shown]
        for item in found:
            ways = shown[NAMES[item["id"]]]
            assert (item["origin"] is None) if OWN in ways else (item["origin"] in ways)
            assert item["actor"] == self.model.actors[NAMES[item["id"]]]

    def compare_grouped(self, feed: str) -> None:
        expected: dict[str, list[str]] = {}
        for name in (name for name in NEWEST_FIRST if name in self.model.shown(feed)):
            expected.setdefault(f"{self.model.kinds[name]}_{TIMES[name][:10]}", []).append(name)
        found = ok("GET", f"feed/{path(feed)}/")["results"]
        assert [group["id"][:36] for group in found] == [str(IDS[names[0]]) for names in expected.values()]
        for group in found:
            names = expected[group["group"]]
            assert [NAMES[item["id"]] for item in group["activities"]] == names
            assert group["activity_count"] == len(names)
            assert group["actor_count"] == len({self.model.actors[name] for name in names})

    def compare_rebuilt(self) -> None:
        before = snapshot()
        for feed in Feed.objects.all():
            timelines().rebuild(feed.pk)
        assert snapshot() == before


class PendingMachine(FeedMachine):
    """Everybody has too many followers to be served at once, and chunks come late and in any order."""

    @rule(data=st.data())
    def serve_a_chunk(self, data) -> None:
        pending = sorted(FanoutJob.objects.values_list("pk", flat=True))
        if pending:
            run_for(1, data.draw(st.sampled_from(pending)))

    @rule()
    def compare(self) -> None:
        self.settle()
        super().compare()


class _Pulled:
    """What has more followers than a number, which changes, is found by those who read it."""

    settings: Any = None
    found = 0

    @initialize(most=st.sampled_from([0, 1, 2]), limit=st.sampled_from([0, 1]))
    def begin(self, most, limit) -> None:
        self.settings.STREAM_SERVER_PUSH_FOLLOWERS_MAX = most
        for source in ("timeline:1", "timeline:2", "aggregated:1"):
            self.follow(source, "user:1", limit)
        self.add("user:1", "a", ("x", "k"), ["user:2"])

    @rule(feed=st.sampled_from(["user:1", "user:2"]), content=contents, to=few_feeds)
    def add_a_newer_one(self, feed, content, to) -> None:
        there = {name for name in TIMES if (feed, name) in self.model.posts}
        newer = [name for name in reversed(NEWEST_FIRST) if name not in there]
        if newer:
            self.add(feed, newer[0], content, to)

    @rule(most=st.sampled_from([0, 1, 2, 1000]))
    def cross(self, most) -> None:
        self.settings.STREAM_SERVER_PUSH_FOLLOWERS_MAX = most

    @rule(feed=flat)
    def compare_pages(self, feed: str) -> None:
        """By whatever way one pages, it is the same feed."""
        self.settle()
        self.compare_flat(feed)
        whole = [item["id"] for item in ok("GET", f"feed/{path(feed)}/")["results"]]
        for limit in (1, 2):
            found: list[str] = []
            while page := ids(feed, limit=limit, **({"id_lt": found[-1]} if found else {})):
                found += page
            assert found == whole
            assert [one for at in range(9) for one in ids(feed, limit=1, offset=at)] == whole
            assert ids(feed, limit=limit, order="oldest") == whole[::-1][:limit]
            for place, one in enumerate(whole):
                newer = whole[:place]
                assert ids(feed, limit=limit, id_gt=one) == newer[:limit]
                assert ids(feed, limit=limit, id_gt=one, order="oldest") == newer[::-1][:limit]
                assert ids(feed, limit=limit, id_lte=one, offset=1) == whole[place + 1 :][:limit]
        slug, user_id = feed.split(":")
        for one in whole:
            number = Feed.objects.get(slug=slug, user_id=user_id).pk
            ways = timelines().origins(number, sort_key(UUID(one)))
            assert len(ways) == len(self.model.shown(feed)[NAMES[one]])

    def teardown(self) -> None:
        type(self).found += PulledPlacement.objects.count()
        try:
            super().teardown()
        finally:
            for model in (PulledFeed, PulledPlacement):
                model.objects.all().delete()


class PulledMachine(_Pulled, FeedMachine):
    pass


class PulledPendingMachine(_Pulled, PendingMachine):
    pass


def snapshot() -> tuple[set, set, set]:
    """All rows of the store that follow from the record; marks and write times do not.

    Groups come after the record when somebody looks.
    """
    for feed in GroupChange.objects.values_list("feed", flat=True).distinct():
        activity_groups.bring_up_to_date(Fragment("%s", [feed]))
    groups = {group.pk: group for group in ActivityGroup.objects.all()}
    return (
        set(TimelineEntry.objects.values_list("feed", "key", "via")),
        {
            (group.feed, group.name, group.newest, group.activity_count, group.actor_count)
            for group in groups.values()
        },
        {
            (groups[entry.group_id].feed, groups[entry.group_id].name, entry.key)
            for entry in ActivityGroupEntry.objects.all()
        },
    )


MACHINES = {
    "at once": FeedMachine,
    "in chunks": PendingMachine,
    "pulled": PulledMachine,
    "pulled, in chunks": PulledPendingMachine,
}


@pytest.fixture(params=MACHINES.values(), ids=MACHINES)
def machine(request, settings) -> type[FeedMachine]:
    settings.STREAM_SERVER_FEED_GROUPS = FEED_GROUPS
    if issubclass(request.param, _Pulled):
        request.param.settings, request.param.found = settings, 0
    if issubclass(request.param, PendingMachine):
        settings.STREAM_SERVER_FANOUT_INLINE_MAX = 0
        settings.STREAM_SERVER_FANOUT_CHUNK = 1
    return request.param


@needs("aggregation")
@pytest.mark.django_db
def test_feeds_equal_the_model_and_a_rebuild_after_any_history(machine):
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=40,
            stateful_step_count=20,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
    if issubclass(machine, _Pulled):
        assert machine.found > 0
