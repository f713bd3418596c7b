"""What the small Python document and stream-python's users are used to."""

from __future__ import annotations

import pytest

import django_stream.client as stream
from django_stream.client import StreamClient, signing, utils
from django_stream.client.exceptions import ValidationError
from django_stream.client.feed import Feed
from django_stream.protocol.messages import ApiRequest, ApiResponse

URL = "https://thierry:pass@us-east.stream-io-api.com/?app_id=1"


class Watched:
    """A transport that keeps what it is given."""

    def __init__(self) -> None:
        self.requests: list[ApiRequest] = []

    def send(self, request: ApiRequest, *, timeout: float | None = None) -> ApiResponse:
        self.requests.append(request)
        return ApiResponse(200, {"results": [], "next": "", "duration": "1ms"})

    def close(self) -> None: ...


@pytest.mark.parametrize(
    "environ",
    [{}, {"STREAM_URL": URL.replace("us-east", "eu-west")}, {"STREAM_REGION": "tokyo"}],
    ids=str,
)
def test_connect_takes_a_whole_url_in_place_of_the_key(environ):
    client = stream.connect(URL, environ=environ)
    assert (client.api_key, client.api_secret, client.app_id) == ("thierry", "pass", "1")
    assert client.location == "us-east"
    assert client.base_url == "https://us-east-api.stream-io-api.com/api/"


def test_a_bad_url_in_place_of_the_key_is_refused_without_being_repeated():
    with pytest.raises(ValueError, match="lacks a part") as caught:
        stream.connect("https://thierry:pass@us-east.stream-io-api.com/")
    assert "pass" not in str(caught.value)


def test_version_timeout_and_base_url_are_given_by_position():
    client = StreamClient("key", "secret", "1", "v2.0", 5.0, "http://localhost:8000/api/")
    assert (client.version, client.timeout, client.base_url) == ("v2.0", 5.0, "http://localhost:8000/api/")
    client = stream.connect("key", "secret", "1", "v2.0", 5.0, "us-east", environ={})
    assert (client.version, client.timeout, client.location) == ("v2.0", 5.0, "us-east")
    client = stream.connect("key", "secret", "1", "v1.0", 3.0, None, "http://localhost:8000", environ={})
    assert client.get_full_url("feed/user/1/") == "http://localhost:8000/api/v1.0/feed/user/1/"


def test_the_class_says_where_the_hosted_api_is():
    assert StreamClient.base_url == "https://api.stream-io-api.com/api/"
    assert StreamClient("key", "secret").base_url == StreamClient.base_url


def test_a_full_url_is_asked_for_by_name():
    client = StreamClient("key", "secret")
    wanted = "https://api.stream-io-api.com/api/v1.0/feed/user/1/"
    assert client.get_full_url(relative_url="feed/user/1/") == wanted
    assert client.get_full_url("api", "feed/user/1/") == client.get_full_url("feed//user/1/") == wanted
    with pytest.raises(ValidationError):
        client.get_full_url()


@pytest.mark.parametrize("token", ["tok", b"tok"])
def test_a_feed_has_a_token_of_its_own(token):
    transport = Watched()
    client = StreamClient("key", "s" * 32, transport=transport)
    feed = Feed(client, "user", "1", token)
    assert (feed.token, feed.signature) == ("tok", "user1 tok")
    feed.get()
    feed.followers()
    feed.remove_activity("x")
    Feed(client, "user", "1", token=token).follow("user", "2")
    assert {request.token for request in transport.requests} == {"tok"}
    feed.token = "other"
    feed.get()
    assert transport.requests[-1].token == "other"
    feed.token = None
    feed.get()
    assert transport.requests[-1].token.count(".") == 2


def test_the_modules_have_their_names():
    assert signing.sign("secret", "user1") == stream.sign("secret", "user1")
    assert signing.b64_encode(b"\xff\xfe\xfd\xfc") == b"__79_A"
    assert signing.b64_encode("text") == b"dGV4dA"
    assert utils.validate_feed_id("user:1") == "user:1"
    assert utils.validate_feed_slug("user") == "user"
    assert utils.validate_user_id("1") == "1"
    for check, bad in (
        (utils.validate_feed_id, "user1"),
        (utils.validate_feed_slug, "us er"),
        (utils.validate_user_id, "1:2"),
    ):
        with pytest.raises(ValueError, match="feed|user"):
            check(bad)
