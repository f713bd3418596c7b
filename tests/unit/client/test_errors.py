"""Answers that refuse, and answers that are none."""

from __future__ import annotations

import pickle

import pytest
import requests
import responses

from django_stream.client import StreamClient, exceptions
from django_stream.client.exceptions import (
    InvalidResponse,
    StreamApiException,
    StreamException,
    TransportException,
    error_from,
    get_exception_dict,
    get_exceptions,
)
from django_stream.client.results import ResponseMeta
from django_stream.protocol.errors import BY_CODE, ApiError, ErrorKind
from tests.unit.client.requests_seen import API

FEED = f"{API}feed/user/1/"


@pytest.mark.parametrize("row", BY_CODE.values(), ids=lambda row: row.name)
def test_every_row_of_the_table_has_its_class(row: ErrorKind) -> None:
    kind = getattr(exceptions, row.name)

    assert (kind.code, kind.status_code) == (row.code, row.status)
    assert kind.__mro__[1].__name__ == row.parent
    assert get_exception_dict()[row.code] is kind


def test_every_class_with_a_code_has_its_row() -> None:
    codes = {kind.code: kind.__name__ for kind in get_exceptions()}

    assert codes.pop(1) == "StreamApiException"
    assert codes == {code: row.name for code, row in BY_CODE.items()}


@pytest.mark.parametrize("row", BY_CODE.values(), ids=lambda row: row.name)
def test_what_the_server_raises_arrives_as_the_class_of_that_name(
    client: StreamClient, mocked: responses.RequestsMock, row: ErrorKind
) -> None:
    refusal = ApiError(row, "because", {"verb": ["too long"]})
    headers = {"X-Request-Id": "abc"}
    mocked.add("GET", FEED, json=refusal.envelope(), status=row.status, headers=headers)
    mocked.add("GET", FEED, json=refusal.envelope(), status=row.status, headers=headers)
    mocked.add("GET", FEED, json=refusal.envelope(), status=row.status, headers=headers)
    mocked.assert_all_requests_are_fired = False

    with pytest.raises(StreamApiException) as raised:
        quick(client).feed("user", "1").get()

    error = raised.value
    assert type(error).__name__ == row.name
    assert (error.code, error.status_code, error.detail) == (row.code, row.status, "because")
    assert error.fields == {"verb": ["too long"]}
    assert str(error) == "because\nverb: too long"
    assert error.request_id == "abc"


def quick(client: StreamClient) -> StreamClient:
    from django_stream.client import NO_RETRIES

    return StreamClient(client.api_key, client.api_secret, retry=NO_RETRIES)


@pytest.mark.parametrize(
    ("status", "name"),
    [
        (403, "NotAllowedException"),
        (404, "DoesNotExistException"),
        (409, "ConflictException"),
        (413, "PayloadTooLargeException"),
        (429, "RateLimitReached"),
        (500, "InternalException"),
        (400, "StreamApiException"),
        (418, "StreamApiException"),
    ],
)
def test_json_without_a_code_is_told_by_its_status(status: int, name: str) -> None:
    error = error_from({"message": "no such page"}, status)

    assert type(error).__name__ == name
    assert (error.status_code, error.detail) == (status, f"the API answered with status {status}")


def test_an_unknown_code_keeps_its_number() -> None:
    error = error_from({"detail": "new", "code": 99}, 404)

    assert type(error) is StreamApiException
    assert (error.code, error.status_code) == (99, 404)


@pytest.mark.parametrize(
    ("sent", "fields"),
    [
        ({"a": ["b"]}, {"a": ["b"]}),
        ({"a": "b"}, {"a": ["b"]}),
        ([{"a": ["b"]}, {"a": ["c"], "d": ["e"]}], {"a": ["b", "c"], "d": ["e"]}),
        (None, {}),
        (["odd"], {}),
    ],
    ids=str,
)
def test_fields_are_read_in_every_form(sent: object, fields: dict[str, list[str]]) -> None:
    assert error_from({"detail": "x", "code": 4, "exception_fields": sent}, 400).fields == fields


def test_a_field_that_only_repeats_the_detail_is_not_said_twice() -> None:
    error = error_from({"detail": "too long", "code": 4, "exception_fields": {"verb": ["too long"]}}, 400)

    assert str(error) == "too long"


UNREADABLE = {
    "HTML": (503, "<html>busy</html>"),
    "empty": (200, ""),
    "text": (200, "ok"),
    "list": (200, "[]"),
    "number": (200, "7"),
    "redirect": (302, ""),
    "not UTF-8": (200, b"\xff\xfe{}"),
    "bottomless": (200, "[" * 100_000),
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_an_answer_that_is_no_json_object_is_carried_by_its_error(
    client: StreamClient, mocked: responses.RequestsMock, name: str
) -> None:
    status, body = UNREADABLE[name]
    mocked.add("GET", FEED, body=body, status=status, headers={"Location": "https://elsewhere.example"})

    with pytest.raises(InvalidResponse) as raised:
        quick(client).feed("user", "1").get()

    error = raised.value
    assert error.status_code == status
    assert error.response is not None
    assert error.response.content == (body if isinstance(body, bytes) else body.encode())
    assert error.response.text.startswith(body[:5] if isinstance(body, str) else "")
    assert len(mocked.calls) == 1


def test_an_activity_with_a_field_named_exception_is_no_error(
    client: StreamClient, mocked: responses.RequestsMock
) -> None:
    mocked.add("POST", FEED, json={"id": "x", "exception": "a word"}, status=201)

    added = client.feed("user", "1").add_activity(
        {"actor": "1", "verb": "a", "object": "1", "exception": "a word"}
    )

    assert added == {"id": "x", "exception": "a word"}


def test_failures_and_answers_are_siblings_and_failures_are_requests_errors_too() -> None:
    assert not issubclass(TransportException, StreamApiException)
    assert issubclass(TransportException, StreamException)
    assert issubclass(exceptions.ConnectionFailed, requests.ConnectionError)
    assert issubclass(exceptions.RequestTimeout, requests.Timeout)
    assert issubclass(exceptions.TruncatedResponse, requests.exceptions.ChunkedEncodingError)


@pytest.mark.parametrize(
    "error",
    [
        error_from({"detail": "no", "code": 4, "exception_fields": {"a": ["b"]}}, 400, ResponseMeta(400)),
        exceptions.ValidationError("no", "verb"),
        exceptions.RequestTimeout("late", unsent=True),
    ],
    ids=lambda error: type(error).__name__,
)
def test_errors_travel_between_processes(error: StreamException) -> None:
    copy = pickle.loads(pickle.dumps(error))

    assert type(copy) is type(error)
    assert copy.__dict__ == error.__dict__
    assert str(copy) == str(error)


def test_raise_exception_raises_what_an_envelope_stands_for(client: StreamClient) -> None:
    with pytest.raises(exceptions.InputException, match="no"):
        client.raise_exception({"detail": "no", "code": 4}, 400)
    with pytest.raises(StreamApiException, match="status 502"):
        client.raise_exception(None, 502)


def test_the_repr_says_what_matters() -> None:
    error = error_from({"detail": "no", "code": 4}, 400)

    assert repr(error) == "InputException('no', status_code=400, code=4)"
