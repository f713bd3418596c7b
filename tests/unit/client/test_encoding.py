"""What Python values become on the wire, and what is refused."""

from __future__ import annotations

import enum
import json
import uuid
from collections import OrderedDict
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from types import MappingProxyType
from typing import Any

import pytest
from django.utils.functional import lazystr
from django.utils.safestring import mark_safe
from django.utils.translation import gettext_lazy
from hypothesis import given
from hypothesis import strategies as st

from django_stream.client.encoding import comma_joined, plain, query_text
from django_stream.client.exceptions import ValidationError


class Color(enum.StrEnum):
    RED = "red"


class OldColor(str, enum.Enum):  # noqa: UP042 - its str() differs from StrEnum's
    RED = "red"


class Size(enum.IntEnum):
    LARGE = 3


class Plain(enum.Enum):
    A = "a"


ENCODED: dict[str, tuple[Any, Any]] = {
    "text": ("é", "é"),
    "number": (7, 7),
    "large number": (2**80, 2**80),
    "fraction": (1.5, 1.5),
    "truth": (True, True),
    "nothing": (None, None),
    "aware time": (
        datetime(2026, 1, 31, 14, 0, 0, 7, timezone(timedelta(hours=2))),
        "2026-01-31T12:00:00.000007",
    ),
    "naive time": (datetime(2026, 1, 31, 12), "2026-01-31T12:00:00.000000"),
    "early time": (datetime(1, 1, 1, tzinfo=UTC), "0001-01-01T00:00:00.000000"),
    "date": (date(2026, 1, 31), "2026-01-31"),
    "decimal": (Decimal("12.50"), "12.50"),
    "uuid": (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
    "lazy text": (lazystr("later"), "later"),
    "translated text": (gettext_lazy("Name"), "Name"),
    "safe text": (mark_safe("<b>"), "<b>"),
    "member of StrEnum": (Color.RED, "red"),
    "member of a str and Enum": (OldColor.RED, "red"),
    "member of IntEnum": (Size.LARGE, 3),
    "tuple": ((1, [2, (3,)]), [1, [2, [3]]]),
    "mapping": (MappingProxyType({"a": OrderedDict(b=Decimal(1))}), {"a": {"b": "1"}}),
    "keys": ({1: "a", Color.RED: "b", Size.LARGE: "c"}, {"1": "a", "red": "b", "3": "c"}),
    "deep": ({"a": [{"b": date(2026, 1, 1)}]}, {"a": [{"b": "2026-01-01"}]}),
}


@pytest.mark.parametrize("name", ENCODED)
def test_values_have_their_stated_form(name: str) -> None:
    value, expected = ENCODED[name]

    encoded = plain(value)

    assert encoded == expected
    assert type(encoded) is type(expected)
    assert json.loads(json.dumps(encoded)) == expected


LOOP: list[Any] = []
LOOP.append(LOOP)

REFUSED: dict[str, tuple[Any, str | None]] = {
    "object": ({"a": object()}, "a"),
    "bytes": ({"a": {"b": b"x"}}, "a.b"),
    "set": ([{"a": {1, 2}}], "[0].a"),
    "generator": ({"a": (x for x in ())}, "a"),
    "not a number": ({"a": float("nan")}, "a"),
    "infinity": ([float("inf")], "[0]"),
    "decimal not a number": ({"a": Decimal("NaN")}, "a"),
    "timedelta": ({"a": timedelta(1)}, "a"),
    "plain enum": ({"a": Plain.A}, "a"),
    "key of nothing": ({"a": {None: 1}}, "a"),
    "key of truth": ({True: 1}, None),
    "top level": (object(), None),
    "itself": ({"a": LOOP}, None),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_has_no_form_is_refused_with_its_place(name: str) -> None:
    value, place = REFUSED[name]

    with pytest.raises(ValidationError) as refused:
        plain(value)

    assert refused.value.field == place


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a", "a"),
        (True, "True"),
        (7, "7"),
        (1.5, "1.5"),
        (Size.LARGE, "3"),
        (Color.RED, "red"),
        (None, None),
        (["a", None, 2], ["a", "2"]),
        (datetime(2026, 1, 31, 12), "2026-01-31T12:00:00.000000"),
        (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (lazystr("later"), "later"),
    ],
    ids=str,
)
def test_query_values_have_their_text(value: Any, text: Any) -> None:
    assert query_text("name", value) == text


@pytest.mark.parametrize("value", [{"a": 1}, object(), b"x"], ids=["mapping", "object", "bytes"])
def test_what_has_no_text_is_refused_in_a_query(value: Any) -> None:
    with pytest.raises(ValidationError) as refused:
        query_text("session", value)

    assert refused.value.field == "session"


def test_ids_are_joined_by_commas() -> None:
    assert comma_joined("ids", "a,b") == "a,b"
    assert comma_joined("ids", iter(["a", 2, uuid.UUID(int=1)])) == f"a,2,{uuid.UUID(int=1)}"
    assert comma_joined("ids", []) == ""


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(JSON_VALUES)
def test_json_values_stay_what_they_are_in_a_copy_of_their_own(value: Any) -> None:
    encoded = plain(value)

    assert encoded == value
    assert encoded is not value or not isinstance(value, dict | list)
