"""Many filters at once find what each finds by itself, read from the words of the documents."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from django_stream.server.streams import filters, pointers
from django_stream.server.streams.matching import FilterIndex

SCALARS = st.one_of(st.sampled_from(["a", "ab", "b", ""]), st.integers(-2, 3), st.booleans())
FIELDS = st.sampled_from(["/data/a", "/data/b", "/data/a/b", "/data/l/*", "/data/l", "/data/l/0", "/data/*"])
CLAUSES = st.one_of(
    st.tuples(st.just("equals"), SCALARS),
    st.tuples(st.just("matches"), st.sampled_from(["a", "b"])),
    st.tuples(st.sampled_from(["lt", "le", "gt", "ge"]), st.integers(-2, 3)),
    st.tuples(st.just("one_of"), st.one_of(st.lists(SCALARS, min_size=1), st.just("$authorized_userids"))),
)
TYPES = st.sampled_from(["activity", "post", "follow"])
VALUES = st.recursive(
    st.one_of(SCALARS, st.none(), st.floats(-2, 3)),
    lambda inner: st.one_of(st.lists(inner), st.dictionaries(st.sampled_from("ab"), inner)),
    max_leaves=6,
)
EVENTS = st.fixed_dictionaries({"data": st.dictionaries(st.sampled_from("abl"), VALUES), "meta": st.just({})})


@st.composite
def some_filters(draw: st.DrawFn) -> filters.Filter:
    def clause() -> dict[str, Any]:
        kind = draw(TYPES)
        operator, value = draw(CLAUSES)
        field = "/data/source" if kind == "follow" else draw(FIELDS)
        return {"object_type": kind, "field": field, "operator": operator, "value": value}

    listed = [clause() for _ in range(draw(st.integers(1, 3)))]
    policy = draw(st.sampled_from(filters.POLICIES))
    try:
        return filters.parse(policy, listed)
    except Exception:  # clauses that contradict each other are tested elsewhere
        return filters.parse("include_any", listed)


def holds(clause: Any, event: Any) -> bool:
    return any(_holds(clause, value) for value in pointers.values_at(event, clause.path))


def _holds(clause: Any, value: Any) -> bool:
    wanted = clause.value
    if clause.operator == "equals":
        return type(value) is type(wanted) and value == wanted
    if clause.operator == "one_of":
        items = value if isinstance(value, list) else [value]
        if wanted == "$authorized_userids":
            return any(isinstance(item, str) and item != "" for item in items)
        return any(type(item) is type(one) and item == one for item in items for one in wanted)
    if clause.operator == "matches":
        return isinstance(value, str) and wanted in value
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return {"lt": value < wanted, "le": value <= wanted, "gt": value > wanted, "ge": value >= wanted}[
        clause.operator
    ]


def passes(one: filters.Filter, event: Any) -> bool:
    relevant = [clause for clause in one.clauses if clause.kind == "activity"]
    if not relevant:
        return one.policy.startswith("exclude")
    matched = (all if one.policy.endswith("all") else any)(holds(clause, event) for clause in relevant)
    return matched == one.policy.startswith("include")


@given(st.lists(some_filters(), max_size=6), EVENTS)
def test_the_index_finds_what_each_filter_lets_pass(listed, event):
    numbered = dict(enumerate(listed))
    expected = {number for number, one in numbered.items() if passes(one, event)}
    assert FilterIndex("activity", numbered).passed(event) == expected


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("/data/a~1b", [1]),
        ("/data/a~0b", [2]),
        ("/data/~2", [3]),
        ("/data/~01", [4]),
        ("/data/l/*/n", [5, 6]),
        ("/data/l/1/n", [6]),
        ("/data/l/2/n", []),
        ("/data/l/-1/n", []),
        ("/data/missing/x", []),
    ],
)
def test_paths(path, found):
    event = {"data": {"a/b": 1, "a~b": 2, "*": 3, "~1": 4, "l": [{"n": 5}, {"n": 6}, 7]}}
    assert pointers.values_at(event, pointers.parse(path)) == found


@given(
    st.lists(st.text("ab c", min_size=1, max_size=8), min_size=25, max_size=60),
    st.text("ab c", max_size=30),
)
def test_many_texts_are_found_like_each_by_itself(parts, text):
    clause = {"object_type": "activity", "field": "/data/text", "operator": "matches"}
    listed = {
        number: filters.parse("include_any", [{**clause, "value": part}]) for number, part in enumerate(parts)
    }
    found = FilterIndex("activity", listed).passed({"data": {"text": text}, "meta": {}})
    assert found == {number for number, part in enumerate(parts) if part in text}
