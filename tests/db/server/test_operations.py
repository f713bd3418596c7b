"""Health, readiness, the OpenAPI description, and the system checks."""

import pytest
from django.core.checks import run_checks

from django_stream.server.endpoints import ENDPOINTS
from tests.extras import needs

pytestmark = pytest.mark.django_db
API = "/api/v1.0/"


def test_a_healthy_server_says_so(client):
    assert client.get(f"{API}health/").json() == {"status": "ok"}
    stale = {"stale_fanouts": 0, "stale_reactions": 0, "stale_removals": 0, "stale_marks": 0}
    stale["stale_unfollows"] = 0
    assert client.get(f"{API}ready/").json() == {"status": "ok", **stale}


def test_readiness_names_what_is_missing(client, settings):
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}}
    answer = client.get(f"{API}ready/")
    assert answer.status_code == 503
    assert answer.json()["problems"] == {"cache": "does not keep what it is given"}


def test_the_description_is_valid_and_names_every_endpoint(client):
    validation = pytest.importorskip("drf_spectacular.validation", reason="needs what validates OpenAPI")
    document = client.get(f"{API}schema/").json()
    validation.validate_schema(document)
    described = {method for path in document["paths"].values() for method in path}
    assert described == {"get", "post", "put", "delete"}
    operations = sum(len(methods) for methods in document["paths"].values())
    assert operations == len(ENDPOINTS) + sum(endpoint.enrichable for endpoint in ENDPOINTS)


@pytest.mark.parametrize(
    ("name", "value", "check"),
    [
        ("FEED_GROUPS", {"user": {"kind": "round"}}, "E001"),
        ("FEED_GROUPS", {"us er": {"kind": "flat"}}, "E001"),
        ("FEED_GROUPS", {"user": {"colour": "red"}}, "E001"),
        ("FEED_GROUPS", {"user": {"kind": "flat", "realtime": False}}, "W003"),
        pytest.param(
            *("FEED_GROUPS", {"n": {"kind": "aggregated", "aggregation_format": "{{test[]}}"}}, "W002"),
            marks=needs("aggregation"),
        ),
        ("FEED_GROUPS", {"user": {"ranking": {"hot": {"score": "time +"}}}}, "E003"),
        ("TIMELINES", "nowhere.Store", "E005"),
        ("STREAMS_WAKEUPS", "amqp://127.0.0.1", "E006"),
        ("STREAMS_WAKEUPS", "127.0.0.1:4222", "E006"),
        ("STREAMS_REDIS_URL", "redis://127.0.0.1", "W001"),
        ("PUSH_FOLLOWERS_MAX", -1, "E007"),
        ("PUSH_FOLLOWERS_MAX", "many", "E007"),
        ("PUSH_FOLLOWERS_MAX", True, "E007"),
        ("FEED_GROUP", {}, "W001"),
    ],
)
def test_what_is_wrong_with_a_setting_is_said_at_start(settings, name, value, check):
    setattr(settings, f"STREAM_SERVER_{name}", value)
    found = [message.id for message in run_checks(tags=["django_stream_server"])]
    assert found == [f"django_stream_server.{check}"]
