"""Where a client goes, from arguments and from the environment."""

from __future__ import annotations

import logging
from typing import Any

import pytest

import django_stream.client as stream
from django_stream.client import AsyncView, Endpoints, StreamClient
from django_stream.client.config import Credentials, parse_stream_url
from django_stream.client.exceptions import ValidationError
from tests.unit.client.requests_seen import KEY, SECRET

HOSTED = f"https://{KEY}:{SECRET}@"


@pytest.mark.parametrize("location", ["us-east", "eu-west", "singapore", "tokyo", "dublin", "qa"])
def test_a_location_is_part_of_the_host(location: str) -> None:
    endpoints = Endpoints(location=location)

    assert endpoints.base() == f"https://{location}-api.stream-io-api.com/api/v1.0/"
    assert endpoints.base("analytics") == f"https://{location}.stream-io-api.com/analytics/v1.0/"
    personal = f"https://{location}-personalization.stream-io-api.com/personalization/v1.0/"
    assert endpoints.base("personalization") == personal


@pytest.mark.parametrize(
    ("base_url", "base"),
    [
        ("http://localhost:8000", "http://localhost:8000/api/v1.0/"),
        ("http://127.0.0.1:8000/", "http://127.0.0.1:8000/api/v1.0/"),
        ("https://feeds.example.com", "https://feeds.example.com/api/v1.0/"),
        ("https://example.com/feeds", "https://example.com/feeds/api/v1.0/"),
        ("https://getstream.io/api/", "https://getstream.io/api/v1.0/"),
        ("https://example.com/feeds/api/v1.0/", "https://example.com/feeds/api/v1.0/"),
        ("http://[::1]:8000", "http://[::1]:8000/api/v1.0/"),
    ],
)
def test_a_base_url_is_used_as_it_is(base_url: str, base: str) -> None:
    assert Endpoints(base_url=base_url).base() == base


@pytest.mark.parametrize(
    ("url", "credentials"),
    [
        ("stream-io-api.com/?app_id=1", Credentials(KEY, SECRET, "1")),
        ("getstream.io/?app_id=1", Credentials(KEY, SECRET, "1")),
        ("api.stream-io-api.com/?app_id=1", Credentials(KEY, SECRET, "1")),
        ("eu-west.stream-io-api.com/?app_id=12", Credentials(KEY, SECRET, "12", "eu-west")),
        ("us-east-api.stream-io-api.com/?app_id=12", Credentials(KEY, SECRET, "12", "us-east")),
        ("eu-west.getstream.io?app_id=12&x=y", Credentials(KEY, SECRET, "12", "eu-west")),
        (
            "feeds.example.com:8443/s?app_id=7",
            Credentials(KEY, SECRET, "7", base_url="https://feeds.example.com:8443/s"),
        ),
    ],
)
def test_a_stream_url_is_read(url: str, credentials: Credentials) -> None:
    assert parse_stream_url(HOSTED + url) == credentials


def test_credentials_may_be_percent_encoded() -> None:
    said = parse_stream_url("https://a%2Fb:c%40d@stream-io-api.com/?app_id=1")

    assert (said.api_key, said.api_secret) == ("a/b", "c@d")


@pytest.mark.parametrize(
    "url",
    [
        "nonsense",
        f"http://{KEY}:{SECRET}@stream-io-api.com/?app_id=1",
        f"https://{KEY}@stream-io-api.com/?app_id=1",
        f"https://{KEY}:{SECRET}@/?app_id=1",
        f"{HOSTED}stream-io-api.com/",
        f"{HOSTED}stream-io-api.com/?app_id={SECRET}",
        f"{HOSTED}stream-io-api.com:port/?app_id=1",
        f"{HOSTED}[::1/?app_id=1",
    ],
)
def test_a_bad_stream_url_is_refused_without_being_repeated(url: str) -> None:
    with pytest.raises(ValidationError, match="its form is https://<key>:<secret>@") as refused:
        stream.connect(environ={"STREAM_URL": url})

    assert refused.value.field == "STREAM_URL"
    assert SECRET not in str(refused.value) + repr(refused.value)


def test_connect_reads_the_stream_url_only_without_a_key() -> None:
    environ = {"STREAM_URL": "https://envkey:envsecret@eu-west.stream-io-api.com/?app_id=9"}

    found = stream.connect(environ=environ)
    given = stream.connect(KEY, SECRET, environ=environ)

    assert (found.api_key, found.api_secret, found.app_id) == ("envkey", "envsecret", "9")
    assert (found.location, given.location) == ("eu-west", None)
    assert (given.api_key, given.app_id) == (KEY, None)


def test_what_the_caller_gives_wins_over_the_environment() -> None:
    environ = {"STREAM_REGION": "tokyo", "LOCAL": "1", "STREAM_URL": f"{HOSTED}eu-west.getstream.io?app_id=9"}

    client = stream.connect(app_id=3, location="ohio", base_url="https://own.example", environ=environ)

    assert (client.app_id, client.location) == ("3", "ohio")
    assert client.get_full_url("feed/user/1/") == "https://own.example/api/v1.0/feed/user/1/"


def test_connect_reads_the_region() -> None:
    assert stream.connect(KEY, SECRET, environ={"STREAM_REGION": "singapore"}).location == "singapore"


def test_local_is_obeyed_but_not_silently(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "django_stream.client"):
        client = stream.connect(KEY, SECRET, environ={"LOCAL": "1"})

    assert client.get_full_url("") == "http://localhost:8000/api/v1.0/"
    assert caplog.messages == ["the environment variable LOCAL sends all requests to http://localhost:8000"]


def test_connect_reads_the_real_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LOCAL", "STREAM_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("STREAM_URL", f"{HOSTED}getstream.io?app_id=9")

    assert stream.connect().app_id == "9"


def test_a_constructor_reads_no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCAL", "1")
    monkeypatch.setenv("STREAM_REGION", "tokyo")

    assert StreamClient(KEY, SECRET).get_full_url("") == "https://api.stream-io-api.com/api/v1.0/"


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"api_key": ""}, "api_key"),
        ({"api_key": None}, "api_key"),
        ({"api_secret": ""}, "api_secret"),
        ({"api_secret": b"bytes"}, "api_secret"),
        ({"timeout": 0}, "timeout"),
        ({"timeout": None}, "timeout"),
        ({"timeout": True}, "timeout"),
        ({"location": "us-east.evil.example/"}, "location"),
        ({"base_url": "localhost:8000"}, "base_url"),
        ({"base_url": "ftp://example.com"}, "base_url"),
        ({"base_url": "https://user:pass@example.com"}, "base_url"),
    ],
    ids=str,
)
def test_bad_configuration_is_refused_with_its_name(options: dict[str, Any], field: str) -> None:
    with pytest.raises(ValidationError) as refused:
        StreamClient(**{"api_key": KEY, "api_secret": SECRET, **options})

    assert refused.value.field == field
    assert "pass" not in str(refused.value)


def test_connect_without_a_key_says_so() -> None:
    with pytest.raises(ValidationError, match="api_key must be given"):
        stream.connect(environ={})


def test_connect_gives_the_asynchronous_view_if_asked() -> None:
    assert isinstance(stream.connect(KEY, SECRET, use_async=True, environ={}), AsyncView)


def test_the_small_helpers_keep_their_place() -> None:
    client = stream.connect(KEY, SECRET, environ={})

    assert client.get_default_params() == {"api_key": KEY}
    assert client.get_user_agent() == f"django-stream-client-{_version()}"
    assert client.get_default_header()["X-Stream-Client"] == client.get_user_agent()
    assert client.get_full_url("api", "feed//user/1/") == client.get_full_url("feed/user/1/")
    assert (client.version, client.timeout) == ("v1.0", 3.0)
    assert stream.validate_feed_id("user:1") == "user:1"
    assert (stream.validate_feed_slug("user"), stream.validate_user_id(1)) == ("user", "1")
    for check in (stream.validate_feed_id, stream.validate_feed_slug, stream.validate_user_id):
        with pytest.raises(ValueError, match="!"):
            check("a:b!")


def test_the_legacy_signature_is_that_of_the_published_vector() -> None:
    # Computed once with OpenSSL: HMAC-SHA1 over the id, keyed with the SHA1 of the secret.
    assert stream.sign("secret", "user1") == _by_hand("secret", "user1")
    assert "=" not in stream.sign("secret", "user1")


def _by_hand(secret: str, feed_id: str) -> str:
    import base64
    import hashlib

    key = hashlib.sha1(secret.encode()).digest().ljust(64, b"\0")
    inner = hashlib.sha1(bytes(byte ^ 0x36 for byte in key) + feed_id.encode()).digest()
    digest = hashlib.sha1(bytes(byte ^ 0x5C for byte in key) + inner).digest()
    return base64.urlsafe_b64encode(digest).decode().strip("=")


def _version() -> str:
    from django_stream import __version__

    return __version__
