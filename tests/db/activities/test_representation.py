"""What a row says: times in every zone setting, paths through gaps, wire-safe names."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.contrib.auth.models import User
from hypothesis import given
from hypothesis import strategies as st

from django_stream.activities.ids import from_wire_id, wire_id
from django_stream.activities.model_references import parse_reference
from django_stream.activities.owners import feed_id
from django_stream.activities.paths import broken_segment, related_model, resolve
from django_stream.activities.payload import IncompleteActivity, feed_ids_of, payload_of
from django_stream.activities.representation import aware
from django_stream.protocol.feed_ids import FeedID
from tests.testapp.models import Article, Comment


def test_naive_times_are_local_where_use_tz_is_off(settings: Any) -> None:
    settings.TIME_ZONE = "Europe/Paris"
    summer = datetime(2026, 7, 1, 12)
    assert aware(summer).astimezone(UTC).hour == 12, "USE_TZ: what has no zone is UTC, as on the wire"

    settings.USE_TZ = False
    assert aware(summer).astimezone(UTC).hour == 10
    assert aware(date(2026, 1, 1)).astimezone(UTC) == datetime(2025, 12, 31, 23, tzinfo=UTC)


@pytest.mark.django_db
def test_a_site_without_time_zones_publishes_the_same_moment(ada: User, settings: Any) -> None:
    settings.TIME_ZONE = "Europe/Paris"
    settings.USE_TZ = False
    article = Article.objects.create(author=ada, title="x", published_at=datetime(2026, 7, 1, 12, 0, 0, 7))
    article.refresh_from_db()

    payload = payload_of(article)

    assert payload is not None
    assert payload.activity["time"] == "2026-07-01T10:00:00.000007"


@pytest.mark.django_db
def test_paths_end_in_nothing_at_a_gap(ada: User) -> None:
    article = Article.objects.create(author=ada, title="x")

    assert resolve(article, "author.username") == "ada"
    assert resolve(article, "editor.username") is None
    assert resolve(article, "author.get_full_name") == ""
    assert resolve(article, lambda row: row.pk) == article.pk
    assert resolve(Comment(article_id=987654), "article.title") is None


def test_paths_are_checked_without_a_row() -> None:
    assert broken_segment(Comment, "article.author.username") is None
    assert broken_segment(Comment, "article.auhtor.username") == (Article, "auhtor")
    assert related_model(Comment, "article.author") is User
    assert related_model(Comment, "text") is None


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("change", "field"),
    [({"title": "ok", "published_at": None}, "time"), ({"author": None, "title": "ok"}, "actor")],
)
def test_a_row_that_lacks_something_says_what(change: dict[str, Any], field: str, ada: User) -> None:
    article = Article(**({"author": ada, "pk": 1} | change))

    with pytest.raises(IncompleteActivity, match=f"testapp.Article 1 has no {field}: declare it"):
        payload_of(article)


@pytest.mark.django_db
def test_recipients_are_feeds_ids_and_users(ada: User) -> None:
    feed = type("AnyFeed", (), {"id": "user:7"})()

    assert feed_ids_of([ada, "topic:python", feed, "topic:python"]) == [
        f"notification:{ada.pk}",
        "topic:python",
        "user:7",
    ]
    with pytest.raises(ValueError, match="feed id 'nonsense'"):
        feed_ids_of(["nonsense"])


@given(st.text(min_size=1))
def test_any_key_has_a_wire_safe_and_reversible_name(key: str) -> None:
    try:
        key.encode()
    except UnicodeEncodeError:
        return
    name = wire_id(key)

    assert from_wire_id(name) == key
    assert FeedID.parse(f"user:{name}") == feed_id("user", key)


@given(st.text())
def test_no_text_breaks_the_reading_of_references(text: str) -> None:
    assert parse_reference(text) is None or ":" in text
