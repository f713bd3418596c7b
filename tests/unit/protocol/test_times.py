"""Every time form that a client sends is read, and two forms are written (reference, section 3.5)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from django_stream.protocol.times import format_activity_time, format_rfc3339, parse_time

FORMS = [
    ("2017-02-23T22:57:07.099Z", "2017-02-23T22:57:07.099000"),
    ("2017-02-23T22:57:07", "2017-02-23T22:57:07.000000"),
    ("2017-02-23T22:57:07+0000", "2017-02-23T22:57:07.000000"),
    ("2017-02-23T22:57:07.1234569+02:00", "2017-02-23T20:57:07.123456"),
    ("2017-02-23 22:57:07.5 -0130", "2017-02-24T00:27:07.500000"),
    ("2017-02-23", "2017-02-23T00:00:00.000000"),
    (date(2017, 2, 23), "2017-02-23T00:00:00.000000"),
    (datetime(2017, 2, 23, 1, tzinfo=timezone(timedelta(hours=1))), "2017-02-23T00:00:00.000000"),
]


@pytest.mark.parametrize(("given_form", "expected"), FORMS)
def test_forms_that_clients_send(given_form: object, expected: str) -> None:
    assert format_activity_time(parse_time(given_form)) == expected


@pytest.mark.parametrize(
    "bad",
    [
        "",
        "yesterday",
        "2017-13-01",
        "2017-02-30T00:00:00Z",
        12,
        None,
        "0001-01-01T00:00:00+02:00",
        "2017-02-23T1",
    ],
)
def test_what_is_no_time_is_refused_with_the_value(bad: object) -> None:
    with pytest.raises(ValueError, match="time"):
        parse_time(bad)


@given(st.datetimes(timezones=st.just(UTC)))
def test_written_times_are_read_back_exactly(moment: datetime) -> None:
    assert parse_time(format_activity_time(moment)) == moment
    assert parse_time(format_rfc3339(moment)) == moment
