"""Any JSON that a POST may hold, which of it must be taken, and when two values are equal."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st

DEPTH = 50

NUMBERS: list[Any] = [
    *(0, 1, -1, 1.0, -0.0, 0.1, 1 / 3, 5e-324, 2.2e-308, 1e-7, 1e15, 1e16, 1e17, 9.2e18),
    *(1.2345678901234568e18, -9223372036854775808.0, 2**53 + 1, 2**63 - 1, -(2**63), -(2**63) + 1),
]
"""Such as every database and reader must give back."""
HUGE: list[Any] = [2**63, -(2**63) - 1, 2**64, 10**400, 1e19, 1e308, -1e308]
REFERENCES = [
    *("SU:ada", "SU:", "SO:food:pie", "SO:food:", "SO:", "SR:0", "SA:0", "SA:SU:ada", "SX:1"),
    *("SR:c2a1f4f4-5c1c-4c0c-9f5e-000000000000", "SA:c2a1f4f4-5c1c-1c0c-8f5e-000000000000"),
    *("auth.User:1", "auth.User:x", "auth.Group:99999999999999999999", "user:1", "a" * 300),
]
TEXTS = [
    *(
        "",
        " ",
        "</script><!--<b>",
        "\u2028\u2029",
        "\\u0000",
        "\\",
        '"',
        "{{ x }}{% y %}",
        "%00%s",
        "\x7f\x80",
    ),
    *(
        "\U0001f600\U0001f468\u200d\U0001f469",
        "\U0010ffff\ufffe\uffff\ufdd0",
        "e\u0301\u202e",
        "\r\n\t\x01\x1f",
    ),
    *("NaN", "null", "2018-12-21T09:45:42.455925", "to", "\ufeff", "\ud7ff\ue000"),
]
BAD_TEXTS = ["\0", "a\0b", "\ud800", "\udfff x", "\ude00\ud83d"]
KNOWN = frozenset({"actor", "verb", "object", "target", "foreign_id", "time", "to"})
"""Fields of an activity that have a meaning of their own."""
IGNORED = frozenset(
    {
        *("id", "origin", "duration", "reaction_counts", "latest_reactions", "latest_reactions_extra"),
        *("own_reactions", "own_children", "first_reactions"),
    }
)
"""Those that the server adds to its answers, and drops when they are sent back."""
NAMES = [
    *("", " ", "activities", "results", "changes", "set", "group", "activity_count", "actor_count", "data"),
    *("is_seen", "created_at", "deleted_at", "kind", "user", "user_id", "reaction", "is_deleted", "error"),
    *(
        "id",
        "to",
        "time",
        "target",
        "verb",
        "duration",
        "origin",
        "status_code",
        "exception",
        "detail",
        "code",
    ),
    *("items", "keys", "a.b", ".", "__proto__", "constructor", "__class__", "n", "SU:ada", "$ref", "0"),
    *("missing", "score", "score_vars", "latest_children", "</script>", "\U0001f600", "k" * 300),
]

texts = st.one_of(
    st.sampled_from(TEXTS + REFERENCES),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12),
)
names = st.one_of(st.sampled_from(NAMES), texts)
numbers = st.one_of(
    st.sampled_from(NUMBERS),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(-9.2e18, 9.2e18, allow_nan=False),
)
_leaves = st.one_of(st.none(), st.booleans(), numbers, texts)


def nested(depth: int, kind: type = list, core: Any = 1) -> Any:
    value = core
    for _ in range(depth):
        value = [value] if kind is list else {"a": value}
    return value


# What stands around a value when it is stored: the activity, and its custom field.
_deep = st.builds(nested, st.integers(1, DEPTH - 4), st.sampled_from([list, dict]), _leaves)
_moment = "2018-12-27T13:02:03.013191Z"
_shaped: list[Any] = [
    {"id": "ada", "data": {"name": "Ada"}, "created_at": _moment, "updated_at": _moment},
    {"id": "x", "collection": "food", "foreign_id": "food:x", "data": {}, "created_at": _moment},
    {"id": "x", "kind": "like", "activity_id": "y", "user": {}, "data": {}, "created_at": _moment},
    {"id": "x", "actor": "a", "verb": "v", "object": "o", "time": _moment, "to": ["user:1"], "target": ""},
    {"id": "x", "verb": "v", "group": "g", "activities": [], "created_at": _moment, "is_seen": True},
    {"id": "x", "error": "ReferenceNotFound", "reference": "auth.User:1", "reference_type": "user"},
    {"like": [{"id": "x", "kind": "like", "created_at": _moment}]},
]
values: st.SearchStrategy[Any] = st.one_of(
    st.recursive(
        _leaves,
        lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(names, inner, max_size=4)),
        max_leaves=8,
    ),
    _deep,
    st.sampled_from(_shaped),
)
custom_fields = st.dictionaries(names.filter(lambda name: name not in KNOWN), values, max_size=5)
"""Fields beside the known ones."""
data = st.dictionaries(names, values, max_size=5)

bad_values: st.SearchStrategy[Any] = st.one_of(
    st.sampled_from([*HUGE, *BAD_TEXTS, *({text: 1} for text in BAD_TEXTS)]),
    # Whole bodies may be a little deeper than what is stored of them.
    st.builds(nested, st.integers(DEPTH + 6, 900), st.sampled_from([list, dict])),
)
"""What no database or no reader could give back."""


@st.composite
def bad_somewhere(draw: st.DrawFn) -> Any:
    """A bad value at some place inside a good one."""
    value = draw(bad_values)
    for kind in draw(st.lists(st.sampled_from(["list", "object"]), max_size=3)):
        other = draw(_leaves)
        value = [other, value] if kind == "list" else {"a": other, "b": value}
    return value


# JSON as text, in ways in which no library would write it.
_numerals = st.sampled_from(
    [
        *("-0", "-0.0", "1E5", "1e-400", "1." + "0" * 400 + "1", "0." + "9" * 40, "9223372036854775807"),
        *("9223372036854775808", "1e400", "-1e400", "1" + "0" * 400, "NaN", "Infinity", "-Infinity"),
        *("1e19", "01", "+1", ".5", "1.", "0x1", "1_0"),
    ]
)
_strings = st.sampled_from(
    [
        *(r'"\ud83d\ude00"', r'"\ud83d"', r'"\ude00\ud83d"', r'"\u0000"', r'"\\u0000"', '"\\/"', '"\t"'),
        *('"\u2028"', '"\x7f"', r'"\x41"', '"', r'"\u00"', '"\U0001f600"', '""'),
    ]
)


def _object_text(pairs: list[tuple[str, str]]) -> str:
    return "{" + ",".join(f"{name}:{value}" for name, value in pairs) + "}"


json_texts: st.SearchStrategy[str] = st.recursive(
    st.one_of(_numerals, _strings, st.sampled_from(["true", "null", "nul", ""])),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda items: f"[{' , '.join(items)}]"),
        st.lists(st.tuples(st.one_of(_strings, st.just('"a"')), inner), max_size=3).map(_object_text),
    ),
    max_leaves=6,
)


def read(text: str) -> Any:
    """What Python reads; ValueError for what is not JSON."""

    def refuse(name: str) -> None:
        raise ValueError(name)

    return json.loads(text, parse_constant=refuse)


def must_be_taken(value: Any, depth: int = DEPTH) -> bool:
    """Whether a value can be given back by every database and every reader."""
    if depth < 0:
        return False
    if isinstance(value, dict):
        return all(_is_text(name) and must_be_taken(inner, depth - 1) for name, inner in value.items())
    if isinstance(value, list):
        return all(must_be_taken(inner, depth - 1) for inner in value)
    if isinstance(value, str):
        return _is_text(value)
    return not isinstance(value, int | float) or -(2**63) <= value < 2**63


def _is_text(value: str) -> bool:
    return not any(character == "\0" or "\ud800" <= character <= "\udfff" for character in value)


def same(sent: Any, found: Any) -> bool:
    """Equal, and of the same kind: True is not 1, and 1.0 is not 1.

    Only whole numbers beyond 10**16, which no float writes out, may come back without being floats.
    """
    if isinstance(sent, dict) and isinstance(found, dict):
        return sent.keys() == found.keys() and all(same(sent[name], found[name]) for name in sent)
    if isinstance(sent, list) and isinstance(found, list):
        return len(sent) == len(found) and all(map(same, sent, found))
    if type(sent) is float and type(found) is int:
        return abs(found) >= 10**16 and sent == found
    return type(sent) is type(found) and sent == found


def members(entries: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Activities of a page, those inside of groups included."""
    for entry in entries:
        yield from [entry] if "actor" in entry else entry["activities"]
