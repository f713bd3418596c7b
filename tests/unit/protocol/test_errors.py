"""The error table is unambiguous, and its envelope is the one that clients decode."""

from __future__ import annotations

from django_stream.protocol.errors import BY_CODE, BY_NAME, ApiError, invalid


def test_codes_and_names_are_unique() -> None:
    assert len(BY_CODE) == len(BY_NAME) == len({kind.code for kind in BY_NAME.values()})


def test_parents_are_rows_of_the_table_or_its_root() -> None:
    assert {kind.parent for kind in BY_NAME.values()} <= {*BY_NAME, "StreamApiException"}


def test_the_envelope_names_the_field_and_leaves_out_empty_fields() -> None:
    body = invalid("verb must not be empty", "verb").envelope()

    assert body == {
        "detail": "verb must not be empty",
        "status_code": 400,
        "code": 4,
        "exception": "InputException",
        "more_info": "https://getstream.io/docs/api_error_responses",
        "exception_fields": {"verb": ["verb must not be empty"]},
    }
    assert "exception_fields" not in ApiError.named("ApiKeyException", "unknown key").envelope()


def test_a_status_may_differ_from_the_table() -> None:
    error = ApiError.named("NotAllowedException", "use GET", status=405)

    assert (error.http_status, error.envelope()["status_code"], error.envelope()["code"]) == (405, 405, 17)
