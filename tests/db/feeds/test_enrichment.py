"""References become instances by one query for each model shown, and bad ones break nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from django_stream.feeds.enrichment import Enrich, MissingObject, apply_missing_policy
from tests.testapp.models import Article, Moment, Mute, Product, Reading, Review, Tag

pytestmark = pytest.mark.django_db


def activity(actor: object, obj: object, **more: Any) -> dict[str, Any]:
    return {"id": "1", "actor": actor, "verb": "v", "object": obj, **more}


@pytest.fixture
def articles(ada: User) -> list[Article]:
    return [Article.objects.create(author=ada, title=str(number)) for number in range(20)]


@pytest.mark.parametrize("size", [1, 20])
def test_a_page_costs_as_many_queries_as_it_shows_models(
    size: int, articles: list[Article], ada: User, django_assert_num_queries: Any
) -> None:
    page = [activity(f"auth.User:{ada.pk}", f"testapp.Article:{one.pk}") for one in articles[:size]]

    with django_assert_num_queries(2):
        enriched = Enrich().enrich_activities(page)
        assert [entry["object"].author.username for entry in enriched] == ["ada"] * size

    assert [entry["object"] for entry in enriched] == articles[:size]
    assert page[0]["actor"] == f"auth.User:{ada.pk}", "the caller's activities stay as they were"


@pytest.mark.parametrize("viewer", [None, "grace"])
@pytest.mark.parametrize("model", [Article, Moment])
@pytest.mark.usefixtures("people")
def test_what_a_model_names_to_be_fetched_with_it_is_fetched_once(
    model: Any, viewer: str | None, ada: User, grace: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Moments are looked at for a viewer who has muted somebody."""
    Mute.objects.create(by=grace, of=User.objects.create(username="muted"))
    named = classmethod(lambda cls: ["author__groups"])
    monkeypatch.setattr(model, "activity_prefetch_related", named, raising=False)
    group = Group.objects.create(name="winners")
    ada.groups.add(group)

    def told(count: int) -> tuple[list[list[Group]], int]:
        made = [model.objects.create(author=ada) for _ in range(count)]
        page = [activity("someone", f"{model._meta.label}:{one.pk}") for one in made]
        with CaptureQueriesContext(connection) as queries:
            enriched = Enrich(viewer=viewer and grace).enrich_activities(page)
            groups = [list(entry["object"].author.groups.all()) for entry in enriched]
        return groups, len(queries)

    (few, least), (many, most) = told(1), told(20)
    assert (few, many) == ([[group]], [[group]] * 20)
    assert least == most


def test_groups_are_enriched_together(
    articles: list[Article], ada: User, django_assert_num_queries: Any
) -> None:
    groups = [
        {"group": str(one.pk), "activities": [activity(f"auth.User:{ada.pk}", f"testapp.Article:{one.pk}")]}
        for one in articles
    ]

    with django_assert_num_queries(2):
        enriched = Enrich().enrich_aggregated_activities(groups)

    assert [group["activities"][0]["object"] for group in enriched] == articles


@pytest.mark.parametrize(
    "value",
    [
        "http://example.com",
        "time: noon",
        "nobody.Knows:1",
        "testapp.Nothing:1",
        "a.b.c:1",
        ":",
        "auth.User:",
        "sessions.Session:x",
        "auth.Permission:1",
        7,
        None,
        {"id": "SU:1"},
    ],
)
def test_what_is_no_reference_stays_as_it_is(
    value: object, ada: User, django_assert_num_queries: Any
) -> None:
    """Rows of models that no declaration shows are out of reach, however a reference is spelled."""
    with django_assert_num_queries(0):
        (entry,) = Enrich().enrich_activities([activity("someone", value)])

    assert entry["object"] == value
    assert entry.enriched


@pytest.mark.parametrize(
    "reference",
    [
        *("testapp.Article:999999", "testapp.Article:0", "testapp.Article:not-a-number"),
        *("testapp.Reading:[1]", "testapp.Photo:xyz"),
    ],
)
def test_a_row_that_is_gone_or_never_was_is_missing(reference: str) -> None:
    (entry,) = Enrich().enrich_activities([activity("someone", reference)])

    assert entry.missing == entry.not_enriched_data == {"object": reference}
    assert not entry.enriched
    assert list(apply_missing_policy([entry], "drop")) == []
    assert list(apply_missing_policy([entry], "placeholder")) == [entry]
    with pytest.raises(MissingObject, match="activity 1 refers to rows that are gone"):
        list(apply_missing_policy([entry], "raise"))


def test_a_row_that_is_not_published_is_missing(ada: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """Anybody can write a reference to it. Columns say it, and code of the model."""
    product = Product.objects.create(owner=ada, title="pen")
    monkeypatch.setattr(Tag, "activity_should_publish", property(lambda tag: tag.name != "secret"))
    rows = [
        [Article.objects.create(author=ada, title=str(on), is_public=on) for on in (True, False)],
        [Review.objects.create(user=ada, product=product, approved=on) for on in (True, False)],
        [Tag.objects.create(user=ada, name=name) for name in ("open", "secret")],
    ]
    page = [activity("x", f"{row._meta.label}:{row.pk}") for pair in rows for row in pair]

    enriched = Enrich().enrich_activities(page)

    assert [one["object"] for one in enriched[::2]] == [shown for shown, _ in rows]
    assert [set(one.missing) for one in enriched[1::2]] == [{"object"}] * 3


def test_a_group_loses_missing_members_and_goes_when_all_are_gone(articles: list[Article]) -> None:
    there = activity("someone", f"testapp.Article:{articles[0].pk}")
    gone = activity("someone", "testapp.Article:999999")
    groups = [{"group": "a", "activities": [there, gone]}, {"group": "b", "activities": [gone]}]

    (kept,) = apply_missing_policy(Enrich().enrich_aggregated_activities(groups), "drop")

    assert kept["group"] == "a"
    assert [member["object"] for member in kept["activities"]] == [articles[0]]


def test_every_kind_of_key_is_found(articles: list[Article], ada: User) -> None:
    tag = Tag.objects.create(name="a:b c", user=ada)
    reading = Reading.objects.create(reader=ada, article=articles[0])
    group = Group.objects.create(name="won")
    references = {
        "testapp.Tag:a:b c": tag,
        f'testapp.Reading:["{ada.pk}","{articles[0].pk}"]': reading,
        f"auth.Group:{group.pk}": group,
        f"testapp.article:{articles[0].pk}": articles[0],
    }

    enriched = Enrich(["object"]).enrich_activities([activity("x", reference) for reference in references])

    assert [entry["object"] for entry in enriched] == list(references.values())


def test_further_fields_are_enriched_on_request(
    articles: list[Article], make_user: Callable[[str], User]
) -> None:
    mia = make_user("mia")

    (entry,) = Enrich([*Enrich().fields, "inspired_by"]).enrich_activities(
        [activity("x", "y", inspired_by=f"auth.User:{mia.pk}")]
    )

    assert entry["inspired_by"] == mia
