"""Follows of anything, by generic keys and by owners that name themselves: what fails concerns one pair."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.contrib.contenttypes.models import ContentType
from django.db import connection

from django_stream import feeds
from django_stream.activities import owners
from django_stream.feeds import feed_manager
from django_stream.models import OutboxEntry, Publication
from django_stream.publishing import capture
from django_stream.tracking import drain
from tests.testapp.models import Album, Bookmark, Product, Tag

pytestmark = [pytest.mark.django_db, pytest.mark.tables]


def followed_by(user: User) -> list[str]:
    feed = feed_manager.get_feed("timeline", user)
    return sorted(one["target_id"] for one in feed.following(limit=100)["results"])


@pytest.fixture(params=["signals", "triggers"])
def noted_by(request: pytest.FixtureRequest, settings: Any) -> str:
    if request.param == "triggers":
        settings.STREAM_CAPTURE = "database"
        capture.reconcile(connection.alias)
    return str(request.param)


KEYS = [
    "0",
    "-1",
    "9" * 50,
    "1.5",
    "x",
    " ",
    "é",
    "'",
    '"',
    "%s",
    "1e3",
    "NaN",
    "../1",
    "[1]",
    "null",
    "\x01",
]


@pytest.mark.usefixtures("noted_by")
@pytest.mark.parametrize("key", KEYS)
def test_a_key_that_leads_nowhere_stops_nobody_else(key: str, ada: User) -> None:
    product = Product.objects.create(title="x")
    of_products = ContentType.objects.get_for_model(Product)
    hostile = Bookmark.objects.create(user=ada, content_type=of_products, object_id=key)
    gone = ContentType.objects.create(app_label="gone", model="away")
    Bookmark.objects.create(user=ada, content_type=gone, object_id=key)
    Bookmark.objects.create(user=ada, thing=product)
    drain()

    mine = f"user:testapp-product-{product.pk}"
    assert set(followed_by(ada)) - {"user:testapp-product-0", "user:testapp-product--1"} == {mine}
    hostile.delete()
    drain()
    assert followed_by(ada) == [mine]
    assert not OutboxEntry.objects.exists()


@pytest.mark.usefixtures("noted_by")
def test_a_number_is_named_by_the_text_that_django_stores_and_by_no_other(ada: User) -> None:
    """Else a pair would have names without end, of which nobody finds all when one of them goes."""
    product = Product.objects.create(title="x")
    kind = ContentType.objects.get_for_model(Product)
    for text in (f"00{product.pk}", f" {product.pk}", f"+{product.pk}", f"0_{product.pk}", f"{product.pk}.0"):
        Bookmark.objects.create(user=ada, content_type=kind, object_id=text)
    drain()
    assert followed_by(ada) == []

    named = Bookmark.objects.create(user=ada, thing=product)
    drain()
    assert followed_by(ada) == [f"user:testapp-product-{product.pk}"]
    assert feeds.is_following(ada, product)

    named.delete()
    drain()
    assert followed_by(ada) == []
    assert not feeds.is_following(ada, product)
    assert not OutboxEntry.objects.exists()


def test_what_another_text_had_brought_does_not_end_the_pair(ada: User) -> None:
    """An earlier version followed by any text that means the number."""
    product = Product.objects.create(title="x")
    kind = ContentType.objects.get_for_model(Product)
    Bookmark.objects.create(user=ada, thing=product)
    drain()
    sent = Publication.objects.get(model_label__startswith="testapp.Bookmark")
    Bookmark.objects.create(user=ada, content_type=kind, object_id=f"00{product.pk}")
    key = OutboxEntry.objects.get().object_key
    Publication.objects.create(model_label=sent.model_label, object_key=key, records=sent.records)
    drain()
    assert followed_by(ada) == [f"user:testapp-product-{product.pk}"]
    assert not OutboxEntry.objects.exists()


@pytest.fixture
def _names() -> Iterator[None]:
    """Whether a model names its rows is looked up once."""
    owners.names_itself.cache_clear()
    yield
    owners.names_itself.cache_clear()


@pytest.mark.usefixtures("_names")
@pytest.mark.parametrize("raised", [LookupError("on purpose"), ValueError("on purpose"), None], ids=repr)
def test_an_owner_that_cannot_name_itself_stops_nobody_else(
    raised: Exception | None, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    good, bad = (Product.objects.create(title=title) for title in ("good", "bad"))

    def name(product: Product) -> Any:
        if product.title == "good":
            return "product_good"
        if raised is not None:
            raise raised
        return None

    monkeypatch.setattr(Product, "feed_id", property(name), raising=False)
    for product in (good, bad):
        Bookmark.objects.create(user=ada, thing=product)
    report = drain()

    assert followed_by(ada) == ["user:product_good"]
    assert report.parked + report.failed == 1
    assert feeds.is_following(ada, [good, bad]) == {good: True, bad: False}
    with pytest.raises(ValueError, match="feed_id|on purpose"):
        feeds.is_following(ada, bad)


def test_a_recipient_without_a_name_is_left_out_alone(ada: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """The others are told, and the outbox says of whom nobody was."""
    unsaved = Group(name="nobody")
    monkeypatch.setattr(Tag, "activity_notify", property(lambda row: [ada, unsaved]))
    Tag.objects.create(name="t", user=User.objects.create(username="other"))
    drain()
    assert len(feed_manager.get_notification_feed(ada).get()["results"]) == 1


def test_a_collection_is_owned_by_anybody(ada: User) -> None:
    album = Album.objects.create(owner=ada, title="x")
    Bookmark.objects.create(user=ada, thing=album)
    drain()
    assert followed_by(ada) == [f"user:testapp-album-{album.pk}"]
