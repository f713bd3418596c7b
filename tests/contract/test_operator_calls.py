"""Audit logs and moderation, errors of the router, credentials, and rate limits."""

from __future__ import annotations

import jwt
import pytest

from django_stream.server.models import ApiKey, Application, ModerationFlag, ModerationStatus
from tests.contract.calling import Api, token, user_token

ACTIVITY = "stream:feeds:v2:activity"


def test_audit_logs_tell_who_changed_what_newest_first(api: Api):
    made = api.post("user:1", actor="SU:ann", foreign_id="a", time="2026-01-01T00:00:00")
    api.ok("POST", "activity/", {"id": made["id"], "set": {"colour": "red"}})
    api.ok("DELETE", f"feed/user/1/{made['id']}/")
    query = {"entity_type": "activity", "entity_id": made["id"]}
    answer = api.ok("GET", "audit_logs/", **query, limit="2")
    assert [(log["action"], log["user_id"]) for log in answer["audit_logs"]] == [
        ("delete", "ann"),
        ("update", "ann"),
    ]
    assert set(answer["audit_logs"][0]) == {
        "entity_type",
        "entity_id",
        "action",
        "user_id",
        "custom",
        "created_at",
    }
    older = api.ok("GET", "audit_logs/", **query, limit="2", next=answer["next"])
    assert [log["action"] for log in older["audit_logs"]] == ["create"]
    assert older["next"] == ""
    newer = api.ok("GET", "audit_logs/", **query, limit="2", prev=older["prev"])
    assert newer["audit_logs"] == answer["audit_logs"]
    assert len(api.ok("GET", "audit_logs/", user_id="ann")["audit_logs"]) == 3


def test_audit_logs_want_an_entity_or_a_user(api: Api):
    assert api.refused("GET", "audit_logs/", entity_type="activity") == (400, 4)


def test_reports_are_kept_for_the_operator(api: Api):
    body = {"entity_type": ACTIVITY, "entity_id": "x", "user_id": "ann", "reason": "spam", "custom": {"a": 1}}
    api.ok("POST", "moderation/flag", body)
    assert list(ModerationFlag.objects.values_list("entity_id", "user_id", "reason")) == [
        ("x", "ann", "spam")
    ]
    for bad in ({**body, "entity_type": "page"}, {**body, "entity_id": ""}, {**body, "user_id": None}):
        assert api.refused("POST", "moderation/flag/", bad) == (400, 4)
    assert ModerationFlag.objects.count() == 1


def test_decisions_of_moderators_are_kept_and_batches_fail_one_by_one(api: Api):
    decision = {"entity_type": ACTIVITY, "entity_id": "x", "moderator_id": "mod", "status": "open"}
    api.ok("POST", "moderation/status/", decision)
    updates = [{**decision, "status": "closed"}, {"entity_type": "page", "entity_id": "y"}]
    results = api.ok("POST", "moderation/status/batch/", {"moderator_id": "mod", "updates": updates})[
        "results"
    ]
    assert [(result["entity_id"], result["success"]) for result in results] == [("x", True), ("y", False)]
    assert list(ModerationStatus.objects.values_list("entity_id", "status")) == [("x", "closed")]
    assert api.ok("DELETE", "moderation/user/cache/ann/") == {}


@pytest.mark.parametrize(
    ("method", "path", "refusal"),
    [
        ("GET", "nowhere/", (404, 16)),
        ("GET", "feed/user/", (404, 16)),
        ("GET", "enrich/follow_many/", (404, 16)),
        ("PUT", "feed/user/1/", (405, 17)),
        ("DELETE", "follow_many/", (405, 17)),
    ],
)
def test_unknown_paths_and_methods_are_answered_with_the_envelope(api: Api, method, path, refusal):
    answer = api.call(method, path)
    assert (answer.status, answer.body["code"]) == refusal
    assert set(answer.body) == {"detail", "status_code", "code", "exception", "more_info", "duration"}
    assert answer.body["more_info"] == "https://getstream.io/docs/api_error_responses"


@pytest.mark.parametrize("body", [[], "text", 5, {"activities": {}}, {"activities": [5]}])
def test_bodies_of_the_wrong_shape_are_refused(api: Api, body):
    assert api.refused("POST", "feed/user/1/", body) == (400, 4)


def test_credentials_are_refused_with_their_codes(api: Api):
    other = api.with_key("unknown")
    assert other.refused("GET", "feed/user/1/") == (401, 2)
    assert api.with_key("").refused("GET", "feed/user/1/") == (401, 2)
    expired = jwt.encode({"user_id": "1", "exp": 1_000_000_000}, api_secret(), algorithm="HS256")
    none = jwt.encode({"resource": "*", "action": "*", "feed_id": "*"}, None, algorithm="none")
    for auth, refusal in [
        ("", (401, 3)),
        ("not.a.token", (401, 3)),
        (none, (401, 3)),
        (token(secret="another secret that is long enough for HS256"), (403, 17)),
        (expired, (403, 17)),
        (token({"user_id": "*"}), (403, 17)),
        (token({"feed_id": "*"}), (403, 17)),
    ]:
        assert api.refused("GET", "feed/user/1/", auth=auth) == refusal


def api_secret() -> str:
    from django_stream.server.conf import server_settings

    return server_settings.own_secret


def test_applications_never_see_each_other(api: Api):
    key = ApiKey.objects.create(application=Application.objects.create(name="other"))
    other = api.with_key(key.key, key.secret())
    mine = api.post("user:1", foreign_id="a", time="2026-01-01T00:00:00", actor="me")
    theirs = other.post("user:1", foreign_id="a", time="2026-01-01T00:00:00", actor="they")
    api.follow("timeline:1", "user:1")
    assert mine["id"] == theirs["id"]
    assert [item["actor"] for item in other.page("user:1")] == ["they"]
    assert other.page("timeline:1") == []
    assert other.ok("GET", "feed/user/1/followers/") == {"results": []}
    other.ok("DELETE", f"feed/user/1/{theirs['id']}/")
    assert [item["actor"] for item in api.page("user:1")] == ["me"]
    assert other.ok("GET", "activities/", ids=mine["id"])["results"] == []
    assert other.ok("GET", "audit_logs/", user_id="me")["audit_logs"] == []
    assert api.refused("GET", "feed/user/1/", auth=token(secret=key.secret())) == (403, 17)


def test_two_secrets_are_valid_while_a_key_is_rotated(api: Api, settings):
    key = ApiKey.objects.create(application=Application.objects.create(name="other"))
    former = key.secret()
    current = key.rotate()
    for secret in (former, current):
        api.with_key(key.key, secret).ok("GET", "feed/user/1/")
    settings.STREAM_SERVER_KEY_ROTATION_SECONDS = -1
    newest = key.rotate()
    assert api.with_key(key.key, current).refused("GET", "feed/user/1/") == (403, 17)
    api.with_key(key.key, newest).ok("GET", "feed/user/1/")


def test_a_suspended_application_is_refused(api: Api):
    key = ApiKey.objects.create(application=Application.objects.create(is_suspended=True))
    assert api.with_key(key.key, key.secret()).refused("GET", "feed/user/1/") == (401, 7)


def test_limits_are_told_and_their_excess_is_refused_until_the_window_ends(api: Api, settings):
    key = ApiKey.objects.create(application=Application.objects.create())
    other = api.with_key(key.key, key.secret())
    settings.STREAM_SERVER_RATE_LIMITS = {"read": (3, 100, 100)}
    for left in ("2", "1", "0"):
        headers = {name.lower(): value for name, value in other.call("GET", "feed/user/1/").headers.items()}
        assert (headers["x-ratelimit-limit"], headers["x-ratelimit-remaining"]) == ("3", left)
    answer = other.call("GET", "feed/user/1/")
    assert (answer.status, answer.body["code"]) == (429, 9)
    assert 0 < int({name.lower(): value for name, value in answer.headers.items()}["retry-after"]) <= 60
    other.ok("GET", "feed/user/1/followers/")
    api.ok("GET", "feed/user/1/")


def test_user_tokens_without_a_profile_may_read_what_is_public(api: Api):
    api.post("user:1")
    assert len(api.page("user:1", auth=user_token("2"))) == 1
    assert api.refused("GET", "feed/timeline/1/", auth=user_token("2")) == (403, 17)
