"""Every writing endpoint records what it did, in the transaction of the change; a refused one nothing."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from django.test.utils import CaptureQueriesContext

from django_stream.protocol.messages import Upload
from django_stream.server.endpoints import ENDPOINTS
from django_stream.server.events import recording
from django_stream.server.events.event import Event
from django_stream.server.models import Activity, ApiKey, Application, AuditLog
from django_stream.server.requests import Endpoint
from tests.contract.calling import Api, token
from tests.db.server.files.pictures import picture

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("uploads", "app_streams")]

api = Api()
ID = "ed2837a6-0a3b-4679-adc1-778a1704852d"
POST = {
    "actor": "SU:ann",
    "verb": "post",
    "object": "1",
    "foreign_id": "post:1",
    "time": "2026-01-01T00:00:00",
}
# What its foreign_id and time make of it.
POST_ID = "d0c3c000-e6a4-11f0-8080-80010edf5810"
STREAM = {"object_types": ["activity"], "type": "long_poll"}
VERB = {"object_type": "activity", "field": "/data/verb", "operator": "equals", "value": "post"}
WEBHOOK = {"url": "http://127.0.0.1:9/"}
FILTER = {"match_policy": "include_any", "clauses": [VERB]}
ENTITY = {"entity_type": "stream:user", "entity_id": "ann"}


@pytest.fixture
def uploads(tmp_path: Any, settings: Any) -> None:
    settings.MEDIA_ROOT = str(tmp_path)


class Memory:
    """A reader that keeps what it reads."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def wants_events(self) -> bool:
        return True

    def read(self, events: Sequence[Event]) -> None:
        self.events += events


class Broken(Memory):
    def read(self, events: Sequence[Event]) -> None:
        raise RuntimeError("this reader cannot keep anything")


@pytest.fixture
def memory(monkeypatch: pytest.MonkeyPatch) -> Memory:
    reader = Memory()
    monkeypatch.setattr(recording, "READERS", (reader,))
    return reader


@dataclass(frozen=True)
class Request:
    """A call that succeeds, and what makes it one that is refused."""

    path: str
    body: Any = None
    content: bytes | None = None
    query: tuple[tuple[str, str], ...] = ()
    refused_body: Any = None
    """In the place of the body; None for a call that is refused by its path."""
    refused_path: str = ""

    def send(self, method: str) -> int:
        return self._send(method, self.path, self.body)

    def send_refused(self, method: str) -> int:
        body = self.body if self.refused_body is None else self.refused_body
        return self._send(method, self.refused_path or self.path, body, refused=True)

    def _send(self, method: str, path: str, body: Any, *, refused: bool = False) -> int:
        content = None if refused else self.content
        upload = None if content is None else Upload("a.png", io.BytesIO(content))
        return api.call(method, path, body, upload=upload, **dict(() if refused else self.query)).status


def post() -> str:
    return str(api.post("user:ann", **POST)["id"])


def react() -> str:
    return str(api.react(ID)["id"])


def softly_deleted() -> str:
    reaction = react()
    api.ok("DELETE", f"reaction/{reaction}/", soft="true")
    return reaction


def uploaded(path: str) -> str:
    return api.upload(f"{path}/", picture("PNG", (8, 8)), "a.png")


def followed() -> str:
    api.follow("timeline:ann", "user:bob")
    return "feed/timeline/ann/follows/user:bob/"


def user() -> str:
    return str(api.made("user/", {"id": "ann", "data": {}})["id"])


def entry() -> str:
    return str(api.made("collections/food/", {"id": "a", "data": {"n": 1}})["id"])


def streamed() -> str:
    return f"streams/{api.call('POST', 'streams/', STREAM).body['data']['id']}/"


def hooked() -> str:
    path = f"{streamed()}webhook/"
    assert api.call("PUT", path, WEBHOOK).status == 200
    return path


def filtered() -> str:
    return f"filters/{api.call('POST', 'filters/', FILTER).body['data']['id']}/"


def one_pair() -> list[dict[str, str]]:
    return [{"source": "timeline:ann", "target": "user:bob"}]


# By endpoint: what makes its call possible, and the call. An endpoint without a row here fails.
REQUESTS: dict[str, Callable[[], Request]] = {
    "POST feed/add_to_many": lambda: Request(
        "feed/add_to_many/", {"activity": POST, "feeds": ["user:a", "user:b"]}, refused_body={"feeds": []}
    ),
    "POST feed/{feed}": lambda: Request("feed/user/ann/", POST, refused_body={**POST, "verb": ""}),
    "DELETE feed/{feed}/{item...}": lambda: Request(
        f"feed/user/ann/{post()}/", refused_path=f"feed/nowhere/ann/{ID}/"
    ),
    "POST feed_targets/{feed}/activity_to_targets": lambda: Request(
        "feed_targets/user/ann/activity_to_targets/",
        {"id": post(), "added_targets": ["user:bob"]},
        refused_body={"id": ID, "added_targets": ["user:bob"]},
    ),
    "POST follow_many": lambda: Request(
        "follow_many/", one_pair(), refused_body=[*one_pair(), {"source": "user:a", "target": "user:a"}]
    ),
    "POST unfollow_many": lambda: Request(
        "unfollow_many/" if followed() else "", one_pair(), refused_body=[*one_pair(), {"source": "x"}]
    ),
    **{
        f"POST feed/{{feed}}/{word}": lambda word=word: Request(
            f"feed/timeline/ann/{word}/", {"target": "user:bob"}, refused_body={"target": "timeline:ann"}
        )
        for word in ("follows", "following")
    },
    **{
        f"DELETE feed/{{feed}}/{word}/{{target}}": lambda word=word: Request(
            followed().replace("follows", word), refused_path=f"feed/timeline/ann/{word}/nowhere:bob/"
        )
        for word in ("follows", "following")
    },
    "POST activities": lambda: Request(
        "activities/", {"activities": [POST]}, refused_body={"activities": [POST, {**POST, "foreign_id": ""}]}
    ),
    "POST activity": lambda: Request(
        "activity/",
        {"id": post(), "set": {"n": 1}},
        refused_body={"changes": [{"id": post(), "set": {"n": 1}}, {"id": ID, "set": {"n": 1}}]},
    ),
    "POST data_privacy/delete_activities": lambda: Request(
        "data_privacy/delete_activities/",
        {"activities": [{"id": post()}]},
        refused_body={"activities": [{"id": post()}, {"id": "x"}]},
    ),
    "POST data_privacy/delete_reactions": lambda: Request(
        "data_privacy/delete_reactions/", {"ids": [react()]}, refused_body={"ids": [react(), 7]}
    ),
    "POST moderation/flag": lambda: Request(
        "moderation/flag/", {**ENTITY, "user_id": "bob"}, refused_body=ENTITY
    ),
    "POST moderation/status": lambda: Request(
        "moderation/status/", {**ENTITY, "moderator_id": "mod", "status": "ok"}, refused_body=ENTITY
    ),
    "POST moderation/status/batch": lambda: Request(
        "moderation/status/batch/", {"moderator_id": "mod", "updates": [ENTITY]}, refused_body={"updates": []}
    ),
    "POST reaction": lambda: Request(
        "reaction/",
        {"kind": "like", "activity_id": ID, "user_id": "bob"},
        refused_body={"kind": "like", "parent": "missing", "user_id": "bob"},
    ),
    "PUT reaction/{reaction}": lambda: Request(
        f"reaction/{react()}/", {"data": {"n": 1}}, refused_path="reaction/missing/"
    ),
    "DELETE reaction/{reaction}": lambda: Request(f"reaction/{react()}/", refused_path="reaction/missing/"),
    "PUT reaction/{reaction}/restore": lambda: Request(
        f"reaction/{softly_deleted()}/restore/", refused_path=f"reaction/{react()}/restore/"
    ),
    "POST user": lambda: Request("user/", {"id": "bob", "data": {}}, refused_body={"id": user()}),
    "PUT user/{user...}": lambda: Request(
        f"user/{user()}/", {"data": {"n": 1}}, refused_path="user/missing/"
    ),
    "DELETE user/{user...}": lambda: Request(f"user/{user()}/", refused_path="user/missing/"),
    "POST users": lambda: Request(
        "users/", {"users": [{"id": "a"}, {"id": "b"}]}, refused_body={"users": [{"id": "a"}, {"id": ""}]}
    ),
    "DELETE users": lambda: Request("users/", query=(("ids", user()),)),
    **{
        f"POST {name}": lambda name=name: Request(
            f"{name}/",
            {"data": {"food": [{"id": "a"}, {"id": "b"}]}},
            refused_body={"data": {"food": [{"id": "a"}, {"id": "-b c"}]}},
        )
        for name in ("collections", "meta")
    },
    "DELETE collections": lambda: Request(
        "collections/", query=(("collection_name", "food"), ("ids", entry()))
    ),
    "POST collections/{collection}": lambda: Request(
        "collections/food/", {"data": {"n": 1}}, refused_body={"id": entry(), "data": {"n": 1}}
    ),
    "PUT collections/{collection}/{entry}": lambda: Request(
        f"collections/food/{entry()}/", {"data": {"n": 2}}, refused_path="collections/food/missing/"
    ),
    "DELETE collections/{collection}/{entry}": lambda: Request(
        f"collections/food/{entry()}/", refused_path="collections/food/missing/"
    ),
    **{
        f"POST {path}": lambda path=path: Request(f"{path}/", content=picture("PNG", (8, 8)))
        for path in ("files", "images")
    },
    **{
        f"DELETE {path}": lambda path=path: Request(f"{path}/", query=(("url", uploaded(path)),))
        for path in ("files", "images")
    },
    "POST streams": lambda: Request("streams/", STREAM, refused_body={"object_types": ["x"]}),
    "PUT streams/{stream}": lambda: Request(streamed(), STREAM, refused_body={"object_types": ["x"]}),
    "DELETE streams/{stream}": lambda: Request(streamed(), refused_path="streams/missing/"),
    "DELETE streams": lambda: Request("streams/" if streamed() else "", refused_path="streams/missing/"),
    "PUT streams/{stream}/webhook": lambda: Request(f"{streamed()}webhook/", WEBHOOK, refused_body={}),
    "DELETE streams/{stream}/webhook": lambda: Request(hooked(), refused_path="streams/missing/webhook/"),
    "POST filters": lambda: Request("filters/", FILTER, refused_body={}),
    "PUT filters/{filter}": lambda: Request(filtered(), FILTER, refused_body={}),
    "DELETE filters/{filter}": lambda: Request(filtered(), refused_path="filters/missing/"),
    "DELETE filters": lambda: Request("filters/" if filtered() else "", refused_path="filters/missing/"),
}
KINDS_OF_ROWS = ("activity", "collection", "file", "reaction", "user")
# Nothing is stored by these.
READING = {
    "POST files/refresh",
    "POST images/refresh",
    "DELETE moderation/user/cache/{user...}",
    "POST streams/{stream}/webhook/dead_letters",
}


def name_of(endpoint: Endpoint) -> str:
    return f"{endpoint.method} {endpoint.pattern}"


WRITING = [one for one in ENDPOINTS if one.method != "GET" and name_of(one) not in READING]
every_writing_endpoint = pytest.mark.parametrize("endpoint", WRITING, ids=name_of)


@every_writing_endpoint
def test_a_writing_endpoint_records_what_it_did(endpoint, memory):
    request = REQUESTS[name_of(endpoint)]()
    memory.events.clear()
    assert request.send(endpoint.method) == endpoint.status
    assert memory.events


@every_writing_endpoint
def test_every_event_tells_what_was_and_what_is(endpoint, memory):
    request = REQUESTS[name_of(endpoint)]()
    memory.events.clear()
    request.send(endpoint.method)
    for event in memory.events:
        # Follows, marks, keys and decisions of moderators are not told by the fields of a row, and an
        # erasure must not keep what it erased.
        if event.kind not in KINDS_OF_ROWS or event.action in ("flag", "moderate"):
            continue
        assert (event.after is None) == (event.action == "delete"), event
        if endpoint.pattern == "data_privacy/delete_activities":
            assert event.before is None
        else:
            assert event.before is None or event.action != "create", event
            assert event.before is not None or event.action not in ("delete", "update"), event


Told = tuple[str, str, str, str, str, str, dict[str, Any]]


def told(
    kind: str,
    object_id: str,
    action: str,
    behalf: str = "",
    feeds: str = "",
    placed: str = "",
    **details: Any,
) -> Told:
    """What an event says; of an object whose id is made at random, "" for its id."""
    return kind, object_id, action, behalf, feeds, placed, details


FOLLOWED, UNFOLLOWED = (
    [told("follow", "timeline:ann", action, feeds="timeline:ann user:bob", target="user:bob")]
    for action in ("follow", "unfollow")
)
ENTRIES = [told("collection", f"food:{name}", "upsert") for name in "ab"]
# By endpoint: what is recorded of its call above. An endpoint without a row here fails.
TOLD: dict[str, list[Told]] = {
    "POST feed/add_to_many": [told("activity", POST_ID, "create", "ann", "user:a user:b", "user:a user:b")],
    "POST feed/{feed}": [told("activity", POST_ID, "create", "ann", "user:ann", "user:ann")],
    "DELETE feed/{feed}/{item...}": [told("activity", POST_ID, "delete", "ann", "user:ann")],
    "POST feed_targets/{feed}/activity_to_targets": [told("activity", POST_ID, "update", "ann", "user:ann")],
    "POST follow_many": FOLLOWED,
    "POST unfollow_many": UNFOLLOWED,
    **{f"POST feed/{{feed}}/{word}": FOLLOWED for word in ("follows", "following")},
    **{f"DELETE feed/{{feed}}/{word}/{{target}}": UNFOLLOWED for word in ("follows", "following")},
    "POST activities": [told("activity", POST_ID, "create", "ann")],
    "POST activity": [told("activity", POST_ID, "update", "ann")],
    # Not in the name of the person who is erased.
    "POST data_privacy/delete_activities": [told("activity", POST_ID, "delete")],
    "POST data_privacy/delete_reactions": [told("reaction", "", "delete", "bob")],
    "POST moderation/flag": [told("user", "ann", "flag", "bob")],
    "POST moderation/status": [told("user", "ann", "moderate", "mod", status="ok")],
    "POST moderation/status/batch": [told("user", "ann", "moderate", "mod")],
    "POST reaction": [told("reaction", "", "create", "bob")],
    "PUT reaction/{reaction}": [told("reaction", "", "update", "bob")],
    "DELETE reaction/{reaction}": [told("reaction", "", "delete", "bob")],
    "PUT reaction/{reaction}/restore": [told("reaction", "", "restore", "bob")],
    "POST user": [told("user", "bob", "create", "bob")],
    "PUT user/{user...}": [told("user", "ann", "update", "ann")],
    "DELETE user/{user...}": [told("user", "ann", "delete")],
    "POST users": [told("user", name, "create") for name in "ab"],
    "DELETE users": [told("user", "ann", "delete")],
    **{f"POST {name}": ENTRIES for name in ("collections", "meta")},
    "DELETE collections": [told("collection", "food:a", "delete")],
    "POST collections/{collection}": [told("collection", "", "create")],
    "PUT collections/{collection}/{entry}": [told("collection", "food:a", "update")],
    "DELETE collections/{collection}/{entry}": [told("collection", "food:a", "delete")],
    **{f"POST {path}": [told("file", "", "create", name="a.png")] for path in ("files", "images")},
    **{f"DELETE {path}": [told("file", "", "delete", name="a.png")] for path in ("files", "images")},
    "POST streams": [told("stream", "", "create")],
    "PUT streams/{stream}": [told("stream", "", "update")],
    "DELETE streams/{stream}": [told("stream", "", "delete")],
    "DELETE streams": [told("stream", "", "delete")],
    "PUT streams/{stream}/webhook": [told("stream", "", "update", webhook=WEBHOOK["url"])],
    "DELETE streams/{stream}/webhook": [told("stream", "", "update")],
    "POST filters": [told("filter", "", "create")],
    "PUT filters/{filter}": [told("filter", "", "update")],
    "DELETE filters/{filter}": [told("filter", "", "delete")],
    "DELETE filters": [told("filter", "", "delete")],
}


@every_writing_endpoint
def test_an_event_says_what_happened_to_what_for_whom_and_where(endpoint, memory):
    request = REQUESTS[name_of(endpoint)]()
    memory.events.clear()
    request.send(endpoint.method)
    expected = TOLD[name_of(endpoint)]
    assert [
        told(
            # An id that is made at random is one, whatever it is.
            *(one.kind, one.object_id if object_id or one.object_id == "None" else "", one.action),
            one.on_behalf_of,
            *(" ".join(one.feeds), " ".join(one.placed)),
            **one.details,
        )
        for one, (_, object_id, *_) in zip(memory.events, expected, strict=True)
    ] == expected
    assert {one.application_id for one in memory.events} == {Application.objects.get().pk}


def test_a_report_tells_its_reason_if_it_has_one(memory):
    for reason in ({}, {"reason": ""}, {"reason": "rude"}):
        api.ok("POST", "moderation/flag/", {**ENTITY, "user_id": "bob", **reason})
    assert [event.details for event in memory.events] == [{}, {}, {"reason": "rude"}]


def test_a_decision_tells_all_that_was_decided(memory):
    decided = {"status": "s", "recommended_action": "r", "latest_moderator_action": "l"}
    api.ok("POST", "moderation/status/", {**ENTITY, "moderator_id": "mod", **decided})
    assert [event.details for event in memory.events] == [decided]


@every_writing_endpoint
def test_a_refused_call_records_nothing(endpoint, memory):
    request = REQUESTS[name_of(endpoint)]()
    memory.events.clear()
    assert request.send_refused(endpoint.method) >= 400
    assert memory.events == []


def stored() -> dict[str, list[Any]]:
    """All rows of the server but feeds and applications, which are created when something names them."""
    models = apps.get_app_config("django_stream_server").get_models()
    kept = [one for one in models if one.__name__ not in ("Feed", "Application")]
    return {one.__name__: sorted(map(repr, one.objects.values_list())) for one in kept}


@every_writing_endpoint
def test_a_change_that_cannot_be_recorded_is_undone(endpoint, monkeypatch):
    request = REQUESTS[name_of(endpoint)]()
    before = stored()
    monkeypatch.setattr(recording, "READERS", (Broken(),))
    assert request.send(endpoint.method) == 500
    assert stored() == before


def test_marks_are_recorded_when_they_change_something(memory):
    api.post("notification:ann", **POST)
    memory.events.clear()
    for _ in range(2):
        api.ok("GET", "feed/notification/ann/", mark_seen="true")
    (event,) = memory.events
    assert (event.kind, event.object_id, event.action) == ("notification", "notification:ann", "mark")
    assert event.details == {"seen": "all"}


def test_another_size_of_an_image_is_recorded_once(memory):
    url = uploaded("images")
    memory.events.clear()
    for _ in range(2):
        api.ok("GET", "images/", url=url, w="4")
    assert [(event.kind, event.action) for event in memory.events] == [("file", "create")]


def test_updates_and_deletions_carry_the_former_fields(memory):
    made = post()
    api.ok("POST", "activity/", {"id": made, "set": {"verb": "like"}})
    api.ok("DELETE", f"feed/user/ann/{made}/")
    states = [
        (one.action, one.before and one.before["verb"], one.after and one.after["verb"])
        for one in memory.events
    ]
    assert states == [("create", None, "post"), ("update", "post", "like"), ("delete", "like", None)]
    assert {one.object_id for one in memory.events} == {made}


def test_posting_again_with_other_content_is_an_update(memory):
    for verb in ("post", "like"):
        api.post("user:ann", **{**POST, "verb": verb})
    assert [(one.action, one.before and one.before["verb"]) for one in memory.events] == [
        ("create", None),
        ("update", "post"),
    ]


def test_removing_what_is_not_there_records_nothing_and_removes_nothing(memory):
    on_a_feed = post()
    api.ok("POST", "activities/", {"activities": [{**POST, "foreign_id": "post:2"}]})
    on_no_feed = Activity.objects.get(foreign_id="post:2").activity_id
    memory.events.clear()
    for activity in (on_a_feed, on_no_feed):
        api.as_user("eve").ok("DELETE", f"feed/user/eve/{activity}/")
    assert memory.events == []
    assert Activity.objects.count() == 2


def test_what_is_hidden_on_a_followers_feed_is_recorded_once_and_stays(memory):
    followed()
    made = api.post("user:bob", **POST)["id"]
    memory.events.clear()
    for _ in range(2):
        api.as_user("ann").ok("DELETE", f"feed/timeline/ann/{made}/")
    (event,) = memory.events
    assert (event.action, event.feeds, event.user_id) == ("delete", ("timeline:ann",), "ann")
    assert event.after is not None


def test_a_follow_that_exists_and_an_unfollow_of_nobody_record_nothing(memory):
    followed()
    memory.events.clear()
    api.follow("timeline:ann", "user:bob")
    api.ok("DELETE", "feed/timeline/ann/follows/user:eve/")
    assert memory.events == []


def logged(**query: str) -> list[tuple[str, str]]:
    logs = api.ok("GET", "audit_logs/", **query)["audit_logs"]
    return [(log["action"], log["user_id"]) for log in logs]


def test_the_audit_log_names_whoever_asked():
    made = post()
    api.as_user("bob").ok("DELETE", f"feed/user/bob/{made}/")
    api.ok("POST", "feed/user/bob/", POST)
    api.as_user("bob").ok("DELETE", f"feed/user/bob/{made}/")
    api.ok("DELETE", f"feed/user/ann/{made}/", user_id="mod")
    query = {"entity_type": "activity", "entity_id": made}
    assert logged(**query) == [("delete", "mod"), ("delete", "bob"), ("update", "ann"), ("create", "ann")]


def test_erasing_does_not_write_the_name_down_anew():
    made = post()
    api.ok("POST", "data_privacy/delete_activities/", {"activities": [{"id": made}]})
    assert logged(entity_type="activity", entity_id=made) == [("delete", ""), ("create", "ann")]


def test_a_follow_is_logged_of_the_feed_that_follows():
    followed()
    (log,) = api.ok("GET", "audit_logs/", entity_type="feed", entity_id="timeline:ann")["audit_logs"]
    assert (log["action"], log["custom"]) == ("follow", {"target": "user:bob"})


def test_a_token_limited_to_the_audit_log_does_not_learn_where_files_are():
    url = uploaded("files")
    key = url.split("/")[-2]
    (log,) = AuditLog.objects.filter(entity_type="file")
    assert key not in f"{log.entity_id} {log.custom}"
    assert log.custom == {"name": "a.png"}


@pytest.mark.parametrize("count", [1, 30])
def test_many_events_are_one_insert_and_none_without_a_reader(count, settings):
    items = {"activities": [{**POST, "foreign_id": f"post:{number}"} for number in range(count)]}
    for switched_on in (True, False):
        settings.STREAM_SERVER_AUDIT_LOG = switched_on
        with CaptureQueriesContext(connection) as queries:
            api.made("feed/user/ann/", items)
        inserts = [query for query in queries if 'INTO "django_stream_server_auditlog"' in query["sql"]]
        assert len(inserts) == switched_on
    assert AuditLog.objects.count() == count


def test_without_a_reader_events_are_not_even_made(settings):
    settings.STREAM_SERVER_AUDIT_LOG = False
    recording.record(pytest.fail("an event was made") for _ in range(1))


def test_users_that_are_made_are_told_from_those_that_are_replaced(memory):
    ann, bob = ({"id": name, "data": {}} for name in ("ann", "bob"))
    for users in ([ann], [ann, bob]):
        api.ok("POST", "users/", {"users": users, "override": True})
    assert [(event.object_id, event.action) for event in memory.events] == [
        ("ann", "create"),
        ("ann", "update"),
        ("bob", "create"),
    ]


def test_keys_are_recorded(admin_client, memory):
    application = Application.objects.create()
    key = ApiKey.objects.create(application=application)
    base = "/admin/django_stream_server/apikey/"
    admin_client.post(base, {"action": "rotate", "_selected_action": [key.pk]})
    admin_client.post(f"{base}{key.pk}/delete/", {"post": "yes"})
    assert [(one.kind, one.object_id, one.action) for one in memory.events] == [
        ("token", key.pk, "rotate"),
        ("token", key.pk, "delete"),
    ]


def test_a_server_token_with_a_user_id_is_still_a_server(memory):
    claims = {"resource": "*", "action": "*", "feed_id": "*", "user_id": "*"}
    Api(auth=token(claims)).post("user:ann", **POST)
    assert [event.caller for event in memory.events] == [""]
