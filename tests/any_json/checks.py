"""What holds of every value: written by one way in, it is read by every door."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

from django_stream.protocol.activity_fields import NEVER_SET
from tests.any_json.doors import Doors
from tests.any_json.values import KNOWN, must_be_taken, read, same

Fields = dict[str, Any]


def _size(value: Any) -> int:
    return len(json.dumps(value, ensure_ascii=False).encode(errors="replace"))


def _posted(doors: Doors, sent: Fields) -> str:
    if "activities" in sent:
        return _batch(doors, sent)
    return str(doors.api.made(doors.home, sent)["id"])


def _batch(doors: Doors, sent: Fields) -> str:
    return str(doors.api.made(doors.home, {"activities": [sent]})["activities"][0]["id"])


def _replaced(doors: Doors, sent: Fields) -> str:
    named = {"foreign_id": f"x:{uuid4()}", "time": "2026-01-01T00:00:00"}
    made = doors.api.made(doors.home, {**doors.activity(), **named})
    doors.api.made("activities/", {"activities": [{**sent, **named}]})
    return str(made["id"])


def _by_client(doors: Doors, sent: Fields) -> str:
    return str(doors.client.feed("user", doors.user_id).add_activities([sent])["activities"][0]["id"])


WAYS: dict[str, Callable[[Doors, Fields], str]] = {
    "post": _posted,
    "batch": _batch,
    "replace": _replaced,
    "client": _by_client,
}


def custom_fields(doors: Doors, fields: Fields, way: str) -> None:
    sent = doors.activity(**fields)
    activity_id = WAYS[way](doors, sent)
    try:
        doors.check_activity(activity_id, sent)
    finally:
        doors.remove(activity_id)


def partial_update(doors: Doors, value: Any, names: list[str]) -> None:
    made = doors.api.made(doors.home, doors.activity(gone=1, kept={"in": 1, "out": 2}))
    change: Fields = {"custom": value, "kept.in": value}
    change |= {name: value for name in names if _can_be_set(name)}
    try:
        answer = doors.api.made("activity/", {"id": made["id"], "set": change, "unset": ["gone", "kept.out"]})
        expected = {name: value for name, value in change.items() if name != "kept.in"}
        expected = doors.activity(**expected | {"kept": {"in": value}})
        assert same(value, answer["custom"])
        doors.check_activity(made["id"], expected)
    finally:
        doors.remove(made["id"])


def _can_be_set(name: str) -> bool:
    return "." not in name and name not in {"", "gone", "kept", *NEVER_SET, *KNOWN}


def known_fields(doors: Doors, fields: dict[str, str]) -> None:
    sent = {"actor": "a", "verb": "v", "object": "o", "to": [f"notification:{doors.user_id}"], **fields}
    required = [name for name in ("actor", "verb", "object") if not sent[name]]
    too_long = [name for name, value in fields.items() if len(value.encode()) > 255]
    if required or too_long:
        answer = doors.send(doors.home, json.dumps(sent).encode())
        assert answer.status == 400
        assert set(answer.json()["exception_fields"]) & {*required, *too_long}
        return
    made = doors.api.made(doors.home, sent)
    try:
        (found,) = doors.api.ok("GET", "activities/", ids=made["id"])["results"]
        assert {name: found[name] for name in sent} == sent
        doors.check_page()
    finally:
        doors.remove(made["id"])


def reaction(doors: Doors, data: Fields) -> None:
    api, topic = doors.api, f"topic:{doors.user_id}"
    activity = api.post(f"user:{doors.user_id}")
    try:
        made = api.react(
            activity["id"], data=data, target_feeds=[topic], target_feeds_extra_data={"custom": data}
        )
        child = api.answer_to(made["id"], data=data)
        about = api.post(topic, object=f"SR:{made['id']}")
        for found in _reactions(doors, activity["id"], made["id"], about["id"]):
            assert same(data, found["data"])
            assert all(same(data, one["data"]) for one in found["latest_children"].get("like", []))
        told = next(one for one in api.page(topic) if one["foreign_id"] == f"reaction:{made['id']}")
        assert same(data, told["custom"])
        assert same(data, api.ok("PUT", f"reaction/{child['id']}/", {"data": data})["data"])
        assert same(data, api.ok("GET", f"reaction/{child['id']}/")["data"])
        api.ok("DELETE", f"feed/topic/{doors.user_id}/{about['id']}/")
        api.ok("DELETE", f"reaction/{made['id']}/")
    finally:
        doors.remove(activity["id"])


def _reactions(doors: Doors, activity_id: str, reaction_id: str, about: str) -> Iterator[Fields]:
    api = doors.api
    yield api.ok("GET", f"reaction/{reaction_id}/")
    yield from api.ok("GET", "reaction/get_many/", ids=reaction_id)["reactions"]
    yield from api.ok("GET", f"reaction/activity_id/{activity_id}/")["results"]
    yield doors.client.reactions.get(reaction_id)
    yield from (one for one in api.ok("GET", "reaction/user_id/bob/")["results"] if one["id"] == reaction_id)
    enriched = api.enriched(f"user:{doors.user_id}", with_recent_reactions="true", with_own_reactions="true")
    (found,) = (one for one in enriched if one["id"] == activity_id)
    yield from found["latest_reactions"]["like"]
    yield from found["own_reactions"]["like"]
    (found,) = (one for one in api.enriched(f"topic:{doors.user_id}") if one["id"] == about)
    yield found["object"]


def user(doors: Doors, data: Fields) -> None:
    api, name = doors.api, f"u{uuid4()}"
    activity = api.post(f"user:{doors.user_id}", object=f"SU:{name}")
    try:
        for write in (
            lambda: api.made("user/", {"id": name, "data": data}),
            lambda: api.made("users/", {"users": [{"id": name, "data": data}], "override": True}),
            lambda: api.ok("PUT", f"user/{name}/", {"data": data}),
        ):
            write()
            (found,) = (one for one in api.enriched(f"user:{doors.user_id}") if one["id"] == activity["id"])
            for one in (
                api.ok("GET", f"user/{name}/"),
                api.ok("GET", "users/", ids=name)["users"][0],
                doors.client.users.get(name),
                found["object"],
            ):
                assert same(data, one["data"])
        doors.check_page()
    finally:
        doors.remove(activity["id"])


def collection(doors: Doors, data: Fields) -> None:
    api, name = doors.api, f"e{uuid4()}"
    activity = api.post(f"user:{doors.user_id}", object=f"SO:food:{name}")
    data = {"custom": 1, **data}
    batch = {**data, "id": name}
    try:
        for write, sent in (
            (lambda: api.made("collections/food/", {"id": name, "data": data}), data),
            (lambda: api.ok("PUT", f"collections/food/{name}/", {"data": data}), data),
            (lambda: api.made("collections/", {"data": {"food": [batch]}}), batch),
        ):
            write()
            (found,) = (one for one in api.enriched(f"user:{doors.user_id}") if one["id"] == activity["id"])
            for one in (
                api.ok("GET", f"collections/food/{name}/"),
                api.ok("GET", "collections/", foreign_ids=f"food:{name}")["response"]["data"][0],
                doors.client.collections.get("food", name),
                found["object"],
            ):
                kept = one["data"] if sent is data or "id" in one["data"] else {**one["data"], "id": name}
                assert same(sent, kept)
        doors.check_page()
    finally:
        doors.remove(activity["id"])


def flag(doors: Doors, data: Fields) -> None:
    made = doors.api.made("moderation/flag/", {**_FLAG, "custom": data})
    assert same(data, doors.told_by_admin(made["flag_id"]))


def raw(doors: Doors, text: str) -> None:
    """The text stands for a custom field of an activity."""
    actor, to = f"auth.User:{doors.user_id}", f"notification:{doors.user_id}"
    body = f'{{"actor": "{actor}", "verb": "dump", "object": "o", "to": ["{to}"], "custom": {text}}}'
    try:
        value = read(text)
    except (ValueError, RecursionError):
        assert doors.send(doors.home, body.encode()).status == 400
        return
    answer = doors.send(doors.home, body.encode())
    if not must_be_taken(value, 49):
        assert answer.status == 400
        assert set(answer.json()["exception_fields"]) == {"custom"}
        return
    assert answer.status == 201
    try:
        doors.check_activity(answer.json()["id"], doors.activity(custom=value))
    finally:
        doors.remove(answer.json()["id"])


_ACTIVITY = {"actor": "a", "verb": "v", "object": "o"}
_REACTION = {"kind": "like", "user_id": "bob", "activity_id": str(uuid4())}
_FLAG = {"entity_type": "stream:user", "entity_id": "a", "user_id": "b"}
PLACES: dict[str, tuple[str, Callable[[Any], Any], str]] = {
    "activity": ("feed/user/1/", lambda value: {**_ACTIVITY, "custom": value}, "custom"),
    "known field": ("feed/user/1/", lambda value: {**_ACTIVITY, "actor": value}, "actor"),
    "activities": ("feed/user/1/", lambda value: {"activities": [{**_ACTIVITY, "a": value}]}, "activities"),
    "many feeds": (
        "feed/add_to_many/",
        lambda value: {"feeds": ["user:1"], "activity": {**_ACTIVITY, "custom": value}},
        "activity",
    ),
    "update": (
        "activity/",
        lambda value: {"foreign_id": "x", "time": "2026-01-01", "set": {"a": value}},
        "set",
    ),
    "reaction": ("reaction/", lambda value: {**_REACTION, "data": {"a": value}}, "data"),
    "user": ("user/", lambda value: {"id": "bob", "data": {"a": value}}, "data"),
    "users": ("users/", lambda value: {"users": [{"id": "bob", "data": {"a": value}}]}, "users"),
    "collection": ("collections/food/", lambda value: {"id": "pie", "data": {"a": value}}, "data"),
    "collections": ("collections/", lambda value: {"data": {"food": [{"id": "pie", "a": value}]}}, "data"),
    "flag": ("moderation/flag/", lambda value: {**_FLAG, "custom": {"a": value}}, "custom"),
}


def refused(doors: Doors, value: Any, place: str) -> None:
    """The API tells which field of the body, or of an activity in it, holds what cannot be kept."""
    path, around, field = PLACES[place]
    answer = doors.api.call("POST", path, around(value))
    sent = doors.send(path, json.dumps(around(value)).encode())
    for status, body in ((answer.status, answer.body), (sent.status, sent.json())):
        assert status == 400, body
        (named,) = body["exception_fields"]
        assert named in (field, "a", "custom"), body
