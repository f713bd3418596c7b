"""Ids are those that the clients of other languages compute (reference, section 6.2)."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from django_stream.protocol.activity_ids import (
    activity_id,
    from_sort_key,
    murmur3_32,
    random_activity_id,
    sort_key,
    sort_key_of,
    time_of,
)

VECTORS = [
    ("6621934", 1452862482, "24f9d500-bb87-11e5-8080-80012ce3cc51"),
    ("123sdsd333}}}", 1451260800, "f01c0000-acf5-11e5-8080-80006a8b5bc2"),
    ("UserPrediction:11127278", 1480174117, "00000080-b3ed-11e6-8080-8000444ef374"),
    ("foreignID", "2001-09-11T00:01:02+00:00", "1657b300-a648-11d5-8080-800020fde6c3"),
    (
        "1E42DEB6-7C2F-4DA9-B6E6-0C6E5CC9815D",
        "2018-11-14T15:54:45.268+00:00",
        "9b5b3540-e825-11e8-8080-800016ff21e4",
    ),
    (
        "1C2C6DAD-5FBD-4DA6-BD37-BDB67E2CD1D6",
        "2018-11-14T11:00:32.282+00:00",
        "815b4fa0-e7fc-11e8-8080-80007911093a",
    ),
    (
        "FFBE449A-54B1-4701-A1E1-79E5DD5AF4BD",
        "2018-11-14T10:50:51.558+00:00",
        "2737dc60-e7fb-11e8-8080-80014193e462",
    ),
]
moments = st.datetimes(datetime(1583, 1, 1), datetime(5000, 1, 1), timezones=st.just(UTC))


@pytest.mark.parametrize(("foreign_id", "time", "expected"), VECTORS)
def test_published_vectors(foreign_id: str, time: int | str, expected: str) -> None:
    moment = datetime.fromtimestamp(time, UTC) if isinstance(time, int) else datetime.fromisoformat(time)

    assert str(activity_id(moment, foreign_id)) == expected


@given(moments, st.text())
def test_the_key_of_an_identity_is_that_of_its_id(moment: datetime, foreign_id: str) -> None:
    assert sort_key_of(moment, foreign_id) == sort_key(activity_id(moment, foreign_id))


@given(moments, st.text())
def test_an_id_tells_its_time_to_the_microsecond(moment: datetime, foreign_id: str) -> None:
    assert time_of(activity_id(moment, foreign_id)) == moment
    assert time_of(random_activity_id(moment)) == moment


@given(moments, moments, st.text(), st.text())
def test_sort_keys_order_as_feeds_do(first: datetime, second: datetime, one: str, other: str) -> None:
    a, b = activity_id(first, one), activity_id(second, other)

    assert from_sort_key(sort_key(a)) == a
    assert (sort_key(a) < sort_key(b)) == ((first, a.clock_seq, a.node) < (second, b.clock_seq, b.node))
    # SQLite keeps them as text: the order must be the same.
    assert (sort_key(a).hex < sort_key(b).hex) == (sort_key(a) < sort_key(b))


def test_random_ids_are_version_1_and_differ() -> None:
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    made = {random_activity_id(moment) for _ in range(1000)}

    assert len(made) == 1000
    assert {one.version for one in made} == {1}
    assert {one.variant for one in made} == {uuid.RFC_4122}


def test_a_time_beyond_the_range_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="outside 1582 to 5236"):
        activity_id(datetime(9999, 1, 1, tzinfo=UTC), "x")


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", 0),
        (b"hello", 0x248BFA47),
        (b"\x21", 0x72661CF4),
        (b"\x21\x43", 0xA0F7B07A),
        (b"\x21\x43\x65", 0x7E4A8634),
        (b"\x21\x43\x65\x87", 0xF55B516B),
        (b"\xff\xff\xff\xff", 0x76293B50),
    ],
)
def test_murmur3_known_digests(data: bytes, expected: int) -> None:
    assert murmur3_32(data) == expected
