"""A feed as a ListView: the same pages as by tags and JSON."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest
from django.contrib.auth.models import User
from django.http import Http404
from django.template import engines
from django.test import RequestFactory

from django_stream import feeds
from django_stream.tracking import drain
from django_stream.views import FeedListView
from tests.testapp.models import Moment

pytestmark = pytest.mark.django_db


@pytest.fixture
def moments(ada: User) -> list[Moment]:
    rows = [
        Moment.objects.create(author=ada, text="x", created_at=f"2026-01-{day:02}T12:00:00Z")
        for day in range(1, 8)
    ]
    drain()
    return rows[::-1]


class Profile(FeedListView):
    template_name = "x.html"
    paginate_by = 3

    def reader(self) -> feeds.FeedReader:
        return feeds.profile(self.kwargs["owner"], viewer=None)


def context(rf: RequestFactory, ada: User, query: str = "") -> Any:
    return Profile.as_view()(rf.get(f"/{query}"), owner=ada).context_data


def test_its_pages_follow_one_another(rf: RequestFactory, ada: User, moments: list[Moment]) -> None:
    found, query = [], ""
    while True:
        page = context(rf, ada, query)
        found += [one["object"] for one in page["object_list"]]
        assert page["is_paginated"] is (page["page_obj"].next is not None)
        if page["page_obj"].next is None:
            break
        query = f"?cursor={page['page_obj'].next}"
    assert found == moments


def test_it_marks_nothing_for_a_script_that_looks_for_news(
    rf: RequestFactory, ada: User, grace: User
) -> None:
    moment = Moment.objects.create(author=ada, text="x")
    moment.mentioned.add(grace)
    drain()

    class News(Profile):
        page_options: ClassVar = {"mark_seen": True}

        def reader(self) -> feeds.FeedReader:
            return feeds.notifications(grace)

    for headers, unseen in (({"X-Stream-Background": "look"}, 1), ({}, 0)):
        assert len(News.as_view()(rf.get("/", headers=headers)).context_data["page_obj"]) == 1
        assert feeds.unseen(grace) == unseen


def test_render_feed_shows_it(rf: RequestFactory, ada: User, moments: list[Moment]) -> None:
    template = engines["django"].from_string("{% load django_stream %}{% render_feed page_obj %}")
    html = template.render(context(rf, ada), rf.get("/"))
    assert html.count('role="article"') == 3
    assert 'rel="next" href="?cursor=' in html


def test_a_wrong_cursor_is_404_and_a_view_without_a_feed_says_so(
    rf: RequestFactory, ada: User, moments: list[Moment]
) -> None:
    with pytest.raises(Http404):
        context(rf, ada, "?cursor=nonsense")
    with pytest.raises(NotImplementedError, match=r"FeedListView.reader\(\)"):
        FeedListView.as_view(template_name="x.html")(rf.get("/"))


@pytest.mark.parametrize("size", [2, 7])
def test_it_costs_the_same_for_few_and_many(
    size: int, rf: RequestFactory, ada: User, moments: list[Moment], django_assert_num_queries: Any
) -> None:
    class Sized(Profile):
        paginate_by = size

    with django_assert_num_queries(3):
        assert len(Sized.as_view()(rf.get("/"), owner=ada).context_data["object_list"]) == size
