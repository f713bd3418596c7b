"""A walk meets every row once, wherever it begins again."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from django_stream.operations.walking import Walk
from django_stream.tracking import activities_paused
from tests.testapp.models import Article, Reading, Tag

pytestmark = pytest.mark.django_db


@pytest.fixture
def rows(make_user: Any) -> None:
    users = [make_user(name) for name in "abc"]
    with activities_paused():
        for number in range(14):
            editor = [*users, None][number % 4]
            article = Article.objects.create(author=users[number % 3], editor=editor, title="t")
            Reading.objects.create(reader=users[number % 2], article=article)
            Tag.objects.create(name=f"{number} é%", user=users[0])


@pytest.mark.usefixtures("rows")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25, deadline=None)
@given(
    walk=st.sampled_from([(Article, "author_id"), (Article, "editor_id"), (Article, None), (Tag, None)]),
    size=st.integers(1, 16),
)
def test_every_row_once_in_order_and_from_each_place(walk: tuple[Any, Any], size: int) -> None:
    model, column = walk
    steps = list(Walk(model.objects.all(), column).steps(size))
    found = [pk for step in steps for pk in step.pks]

    assert sorted(found) == sorted(model.objects.values_list("pk", flat=True))
    if column:
        owners = dict(model.objects.values_list("pk", column))
        runs = [owners[pk] for pk in found]
        changes = sum(one != other for one, other in pairwise(runs))
        assert changes == len(set(runs)) - 1, "rows of one owner stand together"
    for number, step in enumerate(steps):
        place = json.loads(json.dumps(step.end))
        rest = [one.pks for one in Walk(model.objects.all(), column).steps(size, place)]
        assert [pk for pks in rest for pk in pks] == [pk for one in steps[number + 1 :] for pk in one.pks]


@pytest.mark.usefixtures("rows")
def test_composite_keys() -> None:
    steps = list(Walk(Reading.objects.all(), "reader_id").steps(4))

    assert {tuple(pk) for step in steps for pk in step.pks} == set(
        Reading.objects.values_list("pk", flat=True)
    )
    rest = Walk(Reading.objects.all(), "reader_id").steps(4, steps[1].end)
    assert [one.pks for one in rest] == [one.pks for one in steps[2:]]
