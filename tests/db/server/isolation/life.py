"""The life of an application: calls that reach every statement about its rows, and what it has between them.

Two applications that live it side by side hold equal ids at every moment. What they store differs: in each
text `{app}` is the application's name, and some verbs and actors are the same in one of them only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from django_stream.protocol.activity_ids import activity_id
from django_stream.protocol.times import parse_time
from django_stream.server.maintenance import heal_orphans
from django_stream.server.models import Activity
from tests.contract.calling import Api, path_of, token


def at(minute: int) -> str:
    return f"2026-01-01T10:{minute:02}:00"


def known(minute: int, foreign_id: str) -> str:
    """The id of an activity, which is the same in every application."""
    return str(activity_id(parse_time(at(minute)), foreign_id))


# Words that applications have in common, or not: by the name of the application.
WORDS: dict[str, dict[str, str]] = {
    "one": {"verb": "like", "actor": "SU:ann", "user": "ann"},
    "two": {"verb": "share", "actor": "SU:{app}", "user": "{app}"},
}
# The database numbers reports of all applications together.
_NUMBERS = ("duration", "flag_id")
A, B, C, D = known(1, "a"), known(2, "b"), known(3, "c"), known(4, "d")


@dataclass(frozen=True)
class Step:
    """One call, or something else that an application has done."""

    method: str
    path: str
    body: Any = None
    query: Mapping[str, Any] = field(default_factory=dict)
    user: str = ""
    act: Callable[[App], object] | None = None

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    def take(self, app: App) -> Any:
        """The answer, whatever it is."""
        if self.act is not None:
            return self.act(app)
        api = app.api
        if self.user:
            api = replace(api, auth=token({"user_id": app.own(self.user)}, api.secret))
        answer = api.call(self.method, app.own(self.path), app.own(self.body), **app.own(dict(self.query)))
        assert answer.status < 500, f"{self}: {answer.body}"
        return answer.status, {name: value for name, value in answer.body.items() if name not in _NUMBERS}


@dataclass(frozen=True)
class App:
    """An application, its number and how it is called."""

    name: str
    number: int
    api: Api

    def own(self, value: Any) -> Any:
        """The value with this application's own words in it."""
        if isinstance(value, dict):
            return {name: self.own(one) for name, one in value.items()}
        if isinstance(value, list):
            return [self.own(one) for one in value]
        if not isinstance(value, str):
            return value
        for word, text in WORDS[self.name].items():
            value = value.replace(f"{{{word}}}", text)
        return value.replace("{app}", self.name)


def post(feed: str, minute: int, foreign_id: str, **fields: Any) -> Step:
    activity = {"actor": "SU:ann", "verb": "like", "object": "pie", "note": "{app}"}
    body = {**activity, "foreign_id": foreign_id, "time": at(minute), **fields}
    return Step("POST", path_of(feed), body)


def read(feed: str, **query: Any) -> Step:
    return Step("GET", path_of(feed), None, query)


def follow(source: str, target: str, **fields: Any) -> Step:
    return Step("POST", f"{path_of(source)}follows/", {"target": target, **fields})


def unfollow(source: str, target: str, **query: Any) -> Step:
    return Step("DELETE", f"{path_of(source)}follows/{target}/", None, query)


def react(reaction: str, **fields: Any) -> Step:
    body = {"id": reaction, "kind": "like", "user_id": "bob", "data": {"by": "{app}"}, **fields}
    return Step("POST", "reaction/", body)


def act(name: str, do: Callable[[App], object]) -> Step:
    return Step("DO", name, act=do)


EVERYTHING = {
    "withRecentReactions": "true",
    "withOwnReactions": "true",
    "withReactionCounts": "true",
    "withFirstReactions": "true",
    "withOwnChildren": "true",
    "user_id": "bob",
}
FEEDS = ("user:1", "timeline:1", "aggregated:1", "notification:1", "timeline:2", "topic:1")
LOOK = [
    *(Step("GET", f"enrich/{path_of(feed)}", None, EVERYTHING) for feed in FEEDS),
    Step("GET", "activities/", None, {"ids": ",".join((A, B, C, D))}),
    Step("GET", "enrich/activities/", None, {"ids": ",".join((A, B, C)), **EVERYTHING}),
    Step("GET", "activities/", None, {"foreign_ids": "a,b", "timestamps": f"{at(1)},{at(2)}"}),
    Step("GET", f"reaction/activity_id/{A}/", None, {"with_activity_data": "true"}),
    Step("GET", f"reaction/activity_id/{A}/like/"),
    Step("GET", "reaction/user_id/bob/"),
    Step("GET", "reaction/user_id/bob/like/"),
    Step("GET", "reaction/reaction_id/r1/"),
    Step("GET", "reaction/r1/"),
    Step("GET", "reaction/get_many/", None, {"ids": "r1,r2,r3", "include_deleted": "true"}),
    Step("GET", "user/ann/", None, {"with_follow_counts": "true"}),
    Step("GET", "users/", None, {"ids": "ann,bob,cid"}),
    Step("GET", "collections/food/pie/"),
    Step("GET", "collections/", None, {"foreign_ids": "food:pie,food:tea"}),
    Step("GET", "feed/user/1/followers/"),
    Step("GET", "feed/timeline/1/follows/"),
    Step("GET", "feed/timeline/1/follows/", None, {"filter": "user:1,user:2"}),
    Step("GET", "stats/follow/", None, {"followers": "user:1", "following": "timeline:1"}),
    Step("GET", "data_privacy/export_ids/bob/"),
    Step("GET", "data_privacy/export_ids/ann/"),
    Step("GET", "audit_logs/", None, {"user_id": "ann"}),
    Step("GET", "audit_logs/", None, {"entity_type": "activity", "entity_id": A}),
]


def upload_files(app: App) -> None:
    """Their addresses are not told, for they are secrets."""
    app.api.upload("files/", app.name.encode(), "a.txt")
    kept = app.api.upload("files/", b"kept", "b.txt")
    app.api.ok("DELETE", "files/", url=kept)


def forget_group_names(app: App) -> None:
    """As if the feed groups were younger than the activities."""
    Activity.objects.filter(application_id=app.number).update(group_names={})


def lose_an_activity_and_heal(app: App) -> None:
    Activity.objects.filter(application_id=app.number, foreign_id="d").delete()
    heal_orphans()


ACTIVITY = "stream:feeds:v2:activity"
BODY_A = {"foreign_id": "a", "time": at(1)}
LIFE = [
    # Feeds that follow each other before and after there is something on them.
    follow("timeline:1", "user:1"),
    follow("aggregated:1", "user:1"),
    Step("POST", "user/", {"id": "ann", "data": {"name": "{app}"}}),
    Step("POST", "user/", {"id": "ann", "data": {"name": "again"}}, {"get_or_create": "true"}),
    Step("POST", "users/", {"users": [{"id": "bob", "data": {"name": "{app}"}}, {"id": "cid"}]}),
    Step("POST", "users/", {"users": [{"id": "cid", "data": {"n": "{app}"}}], "override": True}),
    Step("POST", "collections/food/", {"id": "pie", "data": {"name": "{app}"}}),
    Step("POST", "collections/", {"data": {"food": [{"id": "tea", "name": "{app}"}]}}),
    Step("PUT", "collections/food/pie/", {"data": {"name": "{app}", "n": 2}}),
    act("upload files", upload_files),
    post("user:1", 1, "a", to=["notification:1", "topic:1"], object="SO:food:pie"),
    post("user:1", 2, "b", actor="{actor}", verb="{verb}"),
    Step("POST", "feed/add_to_many/", {"activity": post("", 3, "c").body, "feeds": ["topic:1", "user:2"]}),
    post("user:2", 4, "d", verb="{verb}"),
    Step("POST", "follow_many/", [{"source": "timeline:2", "target": "user:1", "activity_copy_limit": 1}]),
    *LOOK,
    # Reactions, their children and their targets.
    react("r1", activity_id=A, target_feeds=["notification:1"]),
    react("r2", activity_id=A, user_id="cid", kind="{verb}"),
    react("r3", parent="r1"),
    react("r4", parent="r3", user_id="ann"),
    react("r5", activity_id=B),
    react("r1", activity_id=B),
    *LOOK,
    Step("PUT", "reaction/r1/", {"data": {"by": "{app}", "n": 1}, "target_feeds": ["user:bob"]}),
    Step("PUT", "reaction/r3/", {"data": {"n": 2}}, user="cid"),
    Step("DELETE", "reaction/r1/", None, {"soft": "true"}),
    *LOOK,
    Step("PUT", "reaction/r3/restore/"),
    Step("PUT", "reaction/r1/restore/"),
    *LOOK,
    Step("DELETE", "reaction/r5/"),
    Step("POST", "data_privacy/delete_reactions/", {"ids": ["r2", "unknown"], "soft": True}),
    # Activities change, in place and on their targets.
    Step("POST", "activity/", {**BODY_A, "set": {"note": "{app}!", "actor": "{actor}"}}),
    Step("POST", "activities/", {"activities": [post("", 2, "b", verb="like", note="{app}?").body]}),
    post("user:1", 2, "b", actor="SU:bob", verb="{verb}"),
    Step("POST", "feed_targets/user/1/activity_to_targets/", {**BODY_A, "added_targets": ["topic:2"]}),
    Step("POST", "feed_targets/user/1/activity_to_targets/", {**BODY_A, "new_targets": ["topic:1"]}),
    read("notification:1", mark_seen=A, mark_read="true"),
    *LOOK,
    # What reaches a feed is hidden there, and comes back.
    Step("DELETE", f"feed/timeline/1/{A}/"),
    Step("DELETE", "feed/aggregated/1/b/", None, {"foreign_id": "1"}),
    *LOOK,
    post("timeline:1", 1, "a", object="SO:food:pie"),
    act("forget the names of groups", forget_group_names),
    follow("aggregated:1", "user:2"),
    follow("notification:2", "user:1"),
    *LOOK,
    unfollow("timeline:1", "user:1", keep_history="true"),
    post("user:1", 6, "f"),
    follow("timeline:1", "user:1"),
    unfollow("timeline:1", "user:1"),
    Step("POST", "unfollow_many/", [{"source": "aggregated:1", "target": "user:2"}]),
    *LOOK,
    # A user is the first to post what is the application's.
    Step("POST", "feed/user/bob/", {**post("", 7, "g").body, "actor": "SU:bob"}, user="bob"),
    post("user:1", 7, "g", verb="{verb}"),
    Step("GET", "feed/user/bob/"),
    post("user:1", 8, "h", actor="{actor}"),
    Step("POST", "activity/", {"foreign_id": "h", "time": at(8), "set": {"mine": 1}}, user="{user}"),
    Step("DELETE", "feed/user/1/h/", None, {"foreign_id": "1"}),
    Step("DELETE", "feed/user/1/g/", None, {"foreign_id": "1"}, user="1"),
    # Things go, one after the other.
    Step("DELETE", f"feed/topic/1/{C}/"),
    *LOOK,
    Step("DELETE", "feed/user/1/a/", None, {"foreign_id": "1"}),
    Step("DELETE", f"feed/timeline/1/{A}/"),
    Step("DELETE", f"feed/user/1/{B}/"),
    *LOOK,
    Step("POST", "data_privacy/delete_activities/", {"activities": [{"id": C}]}),
    Step("POST", "moderation/flag/", {"entity_type": ACTIVITY, "entity_id": A, "user_id": "bob"}),
    Step(
        "POST",
        "moderation/status/",
        {
            "entity_type": ACTIVITY,
            "entity_id": A,
            "moderator_id": "mod",
            "status": "{app}",
        },
    ),
    Step("DELETE", "reaction/r1/"),
    Step("PUT", "user/ann/", {"data": {"name": "{app}", "n": 1}}),
    Step("DELETE", "user/ann/"),
    Step("DELETE", "users/", None, {"ids": "bob,nobody"}),
    Step("DELETE", "collections/food/pie/"),
    Step("DELETE", "collections/", None, {"collection_name": "food", "ids": "tea"}),
    *LOOK,
    act("lose an activity and heal", lose_an_activity_and_heal),
    *LOOK,
]
