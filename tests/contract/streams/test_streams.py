"""Streams as objects: every call and every error of the documents of App.net and pnut."""

from __future__ import annotations

import json

import pytest

from django_stream.server.models import ApiKey, Application, AppStream
from tests.contract.calling import Api, token, user_token
from tests.contract.streams.calling import (
    APP_TOKEN,
    BODY,
    call,
    made,
    made_filter,
    message,
    ok,
    refused,
    send,
)

pytestmark = pytest.mark.django_db


def test_a_stream_is_created_as_app_net_documents_it():
    chosen = made_filter()
    status, answer = call("POST", "streams", {**BODY, "filter_id": chosen["id"], "key": "rollout_stream"})
    data = answer["data"]
    assert (status, answer["meta"]) == (200, {"code": 200})
    assert data["id"].isdigit()
    assert data == {
        "id": data["id"],
        "key": "rollout_stream",
        "type": "long_poll",
        "object_types": ["activity"],
        "endpoint": data["endpoint"],
        "filter": chosen,
    }
    assert data["endpoint"].startswith("http://testserver/api/v1.0/channel/")


def test_a_stream_without_a_key_has_its_number_for_one_and_no_filter():
    data = made()
    assert data["key"] == data["id"]
    assert "filter" not in data


def test_what_else_is_in_the_body_is_ignored():
    data = made(id="77", endpoint="https://x", filter={"id": "7"})
    assert data["id"] != "77"
    assert "filter" not in data


@pytest.mark.parametrize("slash", ["", "/"])
def test_a_stream_is_found_by_its_id_and_by_its_key(slash):
    data = made(key="indexer")
    assert ok("GET", f"streams/{data['id']}{slash}") == data
    assert ok("GET", f"streams/indexer{slash}") == data


def test_the_list_tells_its_bounds_and_finds_a_key():
    assert call("GET", "streams")[1] == {"meta": {"code": 200, "more": False}, "data": []}
    first, second = made(key="one"), made(key="two")
    status, answer = call("GET", "streams/")
    assert (status, answer["data"]) == (200, [first, second])
    assert answer["meta"] == {"code": 200, "min_id": first["id"], "max_id": second["id"], "more": False}
    assert ok("GET", "streams?key=two") == [second]
    assert ok("GET", "streams?key=three") == []


def test_put_replaces_all_four_fields():
    data = made(key="one", filter_id=made_filter()["id"])
    changed = ok("PUT", f"streams/{data['id']}", {"object_types": ["post", "star"], "type": "long_poll"})
    assert (changed["object_types"], changed["key"]) == (["post", "star"], data["id"])
    assert "filter" not in changed
    assert ok("PUT", "streams/" + data["id"], {**BODY, "id": "9", "key": "two"})["key"] == "two"
    assert ok("PUT", "streams/two", {**BODY, "key": data["id"]})["key"] == data["id"]


def test_put_of_object_types_alone_leaves_the_rest():
    chosen = made_filter()
    made(key="one", filter_id=chosen["id"])
    changed = ok("PUT", "streams/one", {"object_types": ["reaction"]})
    assert (changed["object_types"], changed["key"]) == (["reaction"], "one")
    assert changed["filter"] == chosen


def test_delete_answers_the_deleted_stream_whose_key_is_free_again():
    data = made(key="one")
    assert ok("DELETE", "streams/one") == {**data, "is_deleted": True}
    assert refused("GET", f"streams/{data['id']}") == (404, "stream-not-found")
    assert made(key="one")["id"] != data["id"]


def test_delete_all_answers_all():
    both = [made(), made(key="two")]
    assert ok("DELETE", "streams") == [{**data, "is_deleted": True} for data in both]
    assert ok("DELETE", "streams") == []


@pytest.mark.parametrize("header", ["HTTP_X_ADN_PRETTY_JSON", "HTTP_X_PRETTY_JSON"])
def test_answers_are_readable_for_people_who_ask(header):
    plain, pretty = send("GET", "streams"), send("GET", "streams", **{header: "1"})
    assert plain.json() == pretty.json()
    assert b"\n" in pretty.content
    assert b"\n" not in plain.content


def test_names_of_the_documents_stay_as_they_were_asked_for():
    names = ["post", "star", "bookmark", "user_follow", "follow", "user", "file", "token", "activity"]
    assert made(object_types=[*names, "post"])["object_types"] == names


@pytest.mark.parametrize("given", [None, [], "post", {}, ["mute"], ["post", 7], [None]])
def test_object_types_that_are_none(given):
    assert refused("POST", "streams", {**BODY, "object_types": given}) == (400, "invalid-object-types")


def test_an_unknown_object_type_is_named_with_those_that_exist():
    told = message("POST", "streams", {**BODY, "object_types": ["post", "mute"]})
    assert "'mute'" in told
    assert "activity, bookmark, collection" in told


@pytest.mark.parametrize("given", ["websocket", "", None, 1])
def test_any_other_type(given):
    assert refused("POST", "streams", {**BODY, "type": given}) == (400, "invalid-type")


@pytest.mark.parametrize("given", ["", "a b", "ü", "a" * 33, "a-b", ["a"], True, "12", "a\n"])
def test_a_bad_key(given):
    assert refused("POST", "streams", {**BODY, "key": given}) == (400, "invalid-key")


def test_a_key_of_another_stream():
    made(key="one")
    other = made(key="two")
    assert refused("POST", "streams", {**BODY, "key": "one"}) == (400, "duplicate-key")
    assert refused("PUT", f"streams/{other['id']}", {**BODY, "key": "one"}) == (400, "duplicate-key")
    assert ok("PUT", "streams/one", {**BODY, "key": "one"})["key"] == "one"


def test_the_sixth_stream():
    for _ in range(5):
        made()
    assert refused("POST", "streams", BODY) == (400, "stream-limit")
    assert "at most 5" in message("POST", "streams", BODY)
    ok("DELETE", f"streams/{AppStream.objects.latest('pk').pk}")
    made()


@pytest.mark.parametrize("given", ["999999", "x", "", "9" * 30, 7.5, True, []])
def test_a_filter_that_does_not_exist(given):
    assert refused("POST", "streams", {**BODY, "filter_id": given}) == (400, "invalid-filter")


@pytest.mark.parametrize("body", ["{", "[]", "7", '"x"', "null", ""])
def test_a_body_that_is_no_object(body):
    assert refused("POST", "streams", body) == (400, "invalid-json")


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded"])
def test_another_content_type(kind):
    assert refused("POST", "streams", json.dumps(BODY), type=kind) == (400, "invalid-json")


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
@pytest.mark.parametrize("name", ["999999", "nothing", "9" * 40, "%00", "a%20b"])
def test_an_unknown_stream(method, name):
    body = BODY if method == "PUT" else None
    assert refused(method, f"streams/{name}", body)[0] in (404, 400)
    if "%" not in name:
        assert refused(method, f"streams/{name}", body) == (404, "stream-not-found")


def test_other_methods_and_paths():
    response = send("PATCH", "streams", BODY)
    assert (response.status_code, response["Allow"]) == (405, "DELETE, GET, POST")
    assert refused("POST", "streams/1", BODY) == (405, "method-not-allowed")
    assert refused("GET", "streams/1/2/3") == (404, "not-found")


def another_application() -> Api:
    key = ApiKey.objects.create(application=Application.objects.create())
    return Api(api_key=key.pk, secret=key.secret())


def test_a_stream_of_another_application_is_as_if_there_were_none():
    theirs, other = made(key="one"), another_application()
    for method in ("GET", "PUT", "DELETE"):
        answer = other.call(method, f"streams/{theirs['id']}", BODY if method == "PUT" else None)
        assert (answer.status, answer.body["meta"]["error_slug"]) == (404, "stream-not-found")
    assert other.call("POST", "streams", {**BODY, "key": "one"}).status == 200
    filter_id = made_filter()["id"]
    answer = other.call("POST", "streams", {**BODY, "filter_id": filter_id})
    assert answer.body["meta"]["error_slug"] == "invalid-filter"


def test_user_tokens_are_refused():
    assert refused("GET", "streams", auth=f"Bearer {user_token('ann')}") == (403, "app-token-required")


def test_tokens_for_other_resources_are_refused():
    feeds = token({"resource": "feed", "action": "*", "feed_id": "*"})
    assert refused("GET", "streams", auth=feeds) == (403, "not-authorized")


@pytest.mark.parametrize(
    ("auth", "slug"),
    [
        ("", "token-required"),
        ("Bearer ", "token-required"),
        ("Bearer x", "invalid-token"),
        (f"Bearer {token(APP_TOKEN, secret='x' * 64)}", "invalid-token"),
        (f"Bearer {token({**APP_TOKEN, 'exp': 1_600_000_000})}", "token-expired"),
    ],
)
def test_without_a_valid_token(auth, slug):
    response = send("GET", "streams", auth=auth)
    assert (response.status_code, response.json()["meta"]["error_slug"]) == (401, slug)
    assert response["WWW-Authenticate"] == "Bearer"


def test_an_unknown_api_key():
    answer = Api(api_key="nothing").call("GET", "streams")
    assert (answer.status, answer.body["meta"]["error_slug"]) == (401, "invalid-api-key")


def test_tokens_in_the_other_forms():
    good = token(APP_TOKEN)
    assert send("GET", "streams", auth=good, HTTP_STREAM_AUTH_TYPE="jwt").status_code == 200
    assert send("GET", f"streams?access_token={good}", auth="").status_code == 200
    assert send("POST", "streams", {**BODY, "access_token": good}, auth="").status_code == 200


def test_a_token_in_the_body_of_a_deletion_is_no_token():
    body = {"access_token": token(APP_TOKEN)}
    assert refused("DELETE", "streams", body, auth="") == (401, "token-required")
    assert refused("DELETE", "streams/1", body, auth="") == (401, "token-required")


def test_too_many_calls(settings):
    settings.STREAM_SERVER_RATE_LIMITS = {"streams": (1, 1, 1)}
    send("GET", "streams")
    response = send("GET", "streams")
    assert (response.status_code, response.json()["meta"]["error_slug"]) == (429, "rate-limit")
    assert int(response["Retry-After"]) > 0


def test_the_schema_tells_the_endpoints():
    paths = send("GET", "schema/").json()["paths"]
    assert set(paths["/streams/{stream}/"]) == {"get", "put", "delete"}
    assert set(paths["/filters/"]) == {"get", "post", "delete"}


def test_nobody_waits_for_events_that_are_not_logged(settings):
    stream = made()
    settings.STREAM_SERVER_STREAMS = False
    for method, path, body in (("POST", "streams", BODY), ("GET", f"streams/{stream['id']}/events", None)):
        status, answer = call(method, path, body)
        assert (status, answer["meta"]["error_slug"]) == (403, "streams-off")
        assert "STREAM_SERVER_STREAMS" in answer["meta"]["error_message"]
    ok("DELETE", f"streams/{stream['id']}")
