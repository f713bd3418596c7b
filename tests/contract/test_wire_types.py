"""What the server answers is what `protocol.wire` says, field by field; so is its OpenAPI schema."""

from __future__ import annotations

import types
from collections.abc import Sequence
from typing import (
    Any,
    Literal,
    NotRequired,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
    is_typeddict,
)

import pytest

from django_stream.protocol import wire
from django_stream.server.openapi.document import document
from tests.contract.calling import Api

CUSTOM = (wire.Activity, wire.EnrichedActivity)
FLAGS = {
    "withRecentReactions": "true",
    "withOwnReactions": "true",
    "withFirstReactions": "true",
    "withReactionCounts": "true",
    "withOwnChildren": "true",
    "user_id": "bob",
}


def misfit(value: Any, hint: Any) -> str | None:
    """Where a JSON value is not of a type; None if it is. Type variables are text, as on the wire."""
    origin = get_origin(hint) or hint
    if is_typeddict(origin):
        return _misfit_of_object(value, origin)
    if origin in (Union, types.UnionType):
        found = [misfit(value, one) for one in get_args(hint)]
        return None if None in found else f"{value!r} is none of {hint}: {found}"
    if origin in (list, Sequence):
        items = value if isinstance(value, list) else [NotImplemented]
        return next((f"[] {wrong}" for item in items if (wrong := misfit(item, get_args(hint)[0]))), None)
    if origin is dict:
        items = value.values() if isinstance(value, dict) else [NotImplemented]
        return next((f"{{}} {wrong}" for item in items if (wrong := misfit(item, get_args(hint)[1]))), None)
    if origin is Literal:
        return None if value in get_args(hint) else f"{value!r} is not {hint}"
    if origin is Any:
        return None
    kind = str if isinstance(origin, TypeVar) else (int, float) if origin is float else origin
    fits = isinstance(value, kind) and not (isinstance(value, bool) and origin is int)
    return None if fits else f"{value!r} is no {hint}"


def _misfit_of_object(value: Any, kind: Any) -> str | None:
    if not isinstance(value, dict):
        return f"{value!r} is no {kind.__name__}"
    known = fields_of(kind)
    if missing := [name for name, (_, required) in known.items() if required and name not in value]:
        return f"{kind.__name__} without {missing}"
    if kind not in CUSTOM and (unknown := value.keys() - known):
        return f"{kind.__name__} with {unknown}"
    wrong = ((name, misfit(value[name], hint)) for name, (hint, _) in known.items() if name in value)
    return next((f"{kind.__name__}.{name}: {found}" for name, found in wrong if found), None)


def fields_of(kind: Any) -> dict[str, tuple[Any, bool]]:
    """{field: (its type, whether it is always there)}."""
    hints = get_type_hints(kind, include_extras=True)
    # Which reaction data there is depends on the flags of the request.
    flagged = get_type_hints(wire.ActivityReactions)
    return {
        name: (get_args(hint)[0], False) if get_origin(hint) is NotRequired else (hint, name not in flagged)
        for name, hint in hints.items()
    }


def fits(value: Any, hint: Any) -> None:
    assert misfit(value, hint) is None


@pytest.fixture
def activity(api: Api) -> dict[str, Any]:
    """It has references of every kind, also to what does not exist, and reactions on two levels."""
    api.made("user/", {"id": "bob", "data": {"name": "Bob"}})
    api.made("collections/food/", {"id": "1", "data": {"name": "cake"}})
    first = api.post("user:1", actor="SU:bob", object="SO:food:1", to=["topic:1"], custom={"any": "json"})
    like = api.react(first["id"], target_feeds=["topic:1"])
    fits(like, wire.Reaction)
    api.answer_to(api.react(first["id"], "comment", "stranger")["id"], "like", "nobody")
    return api.post(
        "user:1",
        actor="SU:nobody",
        object=f"SA:{first['id']}",
        target="SO:food:2",
        liked=f"SR:{like['id']}",
        foreign_id="f:1",
    )


def test_activities_and_what_enrichment_makes_of_them(api: Api, activity: dict[str, Any]) -> None:
    fits(activity, wire.Activity)
    page = api.ok("GET", "feed/user/1/")
    fits(page, wire.FeedPage)
    fits(page["results"], list[wire.Activity])
    newest, oldest = api.enriched("user:1", **FLAGS)
    fits([newest, oldest], list[wire.EnrichedActivity])
    fits(newest["liked"], wire.Reaction)
    fits(newest["target"], wire.MissingObject)
    fits(newest["object"]["actor"], wire.User)
    fits(oldest["object"], wire.CollectionEntry)
    assert oldest["latest_reactions"].keys() == {"like", "comment"}
    assert misfit(oldest, wire.Activity) is not None


def test_groups(api: Api, activity: dict[str, Any]) -> None:
    for slug, kind in (("aggregated", wire.ActivityGroup), ("notification", wire.NotificationGroup)):
        api.post(f"{slug}:1", actor="SU:bob")
        fits(api.page(f"{slug}:1"), list[kind])
        fits(api.enriched(f"{slug}:1", **FLAGS), list[kind])
    page = api.ok("GET", "feed/notification/1/")
    fits(page, wire.FeedPage)
    assert page["unseen"] == 1


def test_objects_beside_the_feeds(api: Api, activity: dict[str, Any]) -> None:
    fits(api.ok("GET", "user/bob/", with_follow_counts="true"), wire.User)
    fits(api.ok("GET", "collections/food/1/"), wire.CollectionEntry)
    found = api.ok("GET", f"reaction/activity_id/{activity['id']}/", with_activity_data="true")
    fits(found["activity"], wire.EnrichedActivity)
    fits(found["results"], list[wire.Reaction])
    api.follow("timeline:1", "user:1")
    fits(api.ok("GET", "feed/user/1/followers/")["results"], list[wire.Follow])
    counts = api.ok("GET", "stats/follow/", followers="user:1", following="timeline:1")["results"]
    fits(counts, wire.FollowCounts)
    flag = {"entity_type": "stream:feeds:v2:activity", "entity_id": activity["id"], "user_id": "bob"}
    fits(api.made("moderation/flag/", flag), wire.Flag)
    logs = api.ok("GET", "audit_logs/", user_id="bob")["audit_logs"]
    fits(logs, list[wire.AuditLog])
    assert logs


def test_refusals(api: Api) -> None:
    answer = api.call("POST", "feed/user/1/", {"actor": "a"})
    fits(answer.body, wire.ErrorEnvelope)
    assert "exception_fields" in answer.body


@pytest.mark.parametrize(
    ("schema", "kind"),
    [("Activity", wire.Activity), ("Follow", wire.Follow), ("ErrorEnvelope", wire.ErrorEnvelope)],
)
def test_the_published_schema_names_the_same_fields(schema: str, kind: Any) -> None:
    properties = document()["components"]["schemas"][schema]["properties"].keys()
    assert properties <= fields_of(kind).keys()
    assert {name for name, (_, required) in fields_of(kind).items() if required} <= properties


def test_the_checker_sees_what_does_not_fit() -> None:
    follow = {"feed_id": "a:1", "target_id": "b:1", "created_at": "t", "updated_at": "t"}
    fits(follow, wire.Follow)
    for wrong in ({**follow, "more": 1}, {**follow, "feed_id": 1}, {"feed_id": "a:1"}, [follow]):
        assert misfit(wrong, wire.Follow)
    assert misfit({"duration": 1}, wire.ActivityReactions)
