"""Rows of models that are not ours: follows with two keys or generic ones, reactions, collections."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType

from django_stream.backends import get_client
from django_stream.feeds import feed_manager, timeline
from django_stream.models import OutboxEntry, Publication
from django_stream.publishing.publisher import publishers
from django_stream.tracking import drain, register, register_follows, republish
from tests.testapp.models import Brand, Club, Fan, Plain, Subscription, Tag
from tests.testapp.shop import Alert, Bookmark, Introduction, Product, Review, Vote

pytestmark = pytest.mark.django_db

FeedOf = Callable[..., list[dict[str, Any]]]


def settled() -> None:
    report = drain()
    assert (report.failed, report.parked) == (0, 0), list(
        OutboxEntry.objects.values_list("reason", flat=True)
    )


def followed_by(user: User) -> set[str]:
    settled()
    found = feed_manager.get_feed("timeline", user).following(limit=100)["results"]
    return {follow["target_id"] for follow in found}


@pytest.fixture
def product(grace: User) -> Product:
    return Product.objects.create(owner=grace, title="Lamp")


def test_a_row_with_two_keys_is_a_follow(ada: User, product: Product) -> None:
    alert = Alert.objects.create(user=ada, product=product)
    assert followed_by(ada) == {f"user:testapp-product-{product.pk}"}

    other = Product.objects.create(title="Chair")
    alert.product = other
    alert.save()
    assert followed_by(ada) == {f"user:testapp-product-{other.pk}"}, "and the former one no longer"

    # Another instance of the row knows nothing of what the table says.
    stale = Alert(pk=alert.pk, user=ada, product=product)
    stale.delete()
    assert followed_by(ada) == set()
    assert not Publication.objects.filter(model_label="testapp.Alert#follow").exists()


def test_a_condition_on_another_row_is_asked(ada: User, product: Product) -> None:
    product.on_sale = False
    product.save()
    Alert.objects.create(user=ada, product=product)
    assert followed_by(ada) == set()

    Product.objects.update(on_sale=True)
    republish(Alert.objects.all())
    assert followed_by(ada) == {f"user:testapp-product-{product.pk}"}


def test_one_of_two_rows_of_a_pair_is_enough(ada: User, grace: User) -> None:
    rows = [Bookmark.objects.create(user=ada, thing=grace) for _ in range(2)]
    assert followed_by(ada) == {f"user:{grace.pk}"}

    for row in rows:
        assert followed_by(ada) == {f"user:{grace.pk}"}
        row.deleted = True
        row.save(update_fields=["deleted"])
    assert followed_by(ada) == set()


def test_one_row_may_mean_several_follows(ada: User, grace: User, make_user: Callable[[str], User]) -> None:
    eva = make_user("eva")
    row = Introduction.objects.create(reader=ada, first=grace, second=eva)
    assert followed_by(ada) == {f"user:{grace.pk}", f"user:{eva.pk}"}

    row.second = ada
    row.save()
    assert followed_by(ada) == {f"user:{grace.pk}", f"user:{ada.pk}"}

    Introduction(pk=row.pk, reader=ada, first=eva, second=eva).delete()
    assert followed_by(ada) == set()
    assert not Publication.objects.exists()


def test_to_say_the_same_follow_again_is_no_second_one() -> None:
    before = publishers()
    register_follows("testapp.Introduction", follower="reader", followed="second")
    assert [one.label for one in publishers()] == [one.label for one in before]
    labels = [one.label for one in before if one.model is Introduction]
    assert labels == ["testapp.Introduction#follow", "testapp.Introduction#follow:reader,second"]


def by_one_row(ada: User, grace: User) -> list[Any]:
    row = Introduction.objects.create(reader=ada, first=grace, second=grace)
    drain()
    row.first = ada
    row.save()
    return [row]


def by_two_tables(ada: User, grace: User) -> list[Any]:
    row = Introduction.objects.create(reader=ada, first=grace, second=ada)
    mixin = Subscription.objects.create(reader=ada, writer=grace)
    drain()
    mixin.delete()
    return [row]


def by_a_generic_key(ada: User, grace: User) -> list[Any]:
    mark = Bookmark.objects.create(user=ada, thing=grace)
    row = Introduction.objects.create(reader=ada, first=grace, second=ada)
    drain()
    row.delete()
    drain()
    Introduction.objects.create(reader=ada, first=ada, second=grace).delete()
    return [mark]


@pytest.mark.parametrize("rows", [by_one_row, by_two_tables, by_a_generic_key])
def test_a_pair_follows_while_any_table_says_so(rows: Any, ada: User, grace: User) -> None:
    left = rows(ada, grace)
    assert f"user:{grace.pk}" in followed_by(ada)

    for row in left:
        row.delete()
    assert f"user:{grace.pk}" not in followed_by(ada)


def test_keys_to_other_columns_are_the_same_pair(ada: User) -> None:
    brand = Brand.objects.create(code="b")
    Fan.objects.create(follower=ada, followed=brand)
    mark = Bookmark.objects.create(user=ada, thing=brand)
    assert followed_by(ada) == {f"user:testapp-brand-{brand.pk}"}

    Fan.objects.all().delete()
    assert followed_by(ada) == {f"user:testapp-brand-{brand.pk}"}

    Fan.objects.create(follower=ada, followed=brand)
    drain()
    mark.delete()
    assert followed_by(ada) == {f"user:testapp-brand-{brand.pk}"}


def test_a_generic_key_leads_to_rows_of_any_model(ada: User, grace: User, product: Product) -> None:
    club, tag = Club.objects.create(name="chess"), Tag.objects.create(name="a b", user=grace)
    for thing in (grace, product, club, tag):
        Bookmark.objects.create(user=ada, thing=thing)
    assert followed_by(ada) == {
        f"user:{grace.pk}",
        f"user:testapp-product-{product.pk}",
        f"user:testapp-club-{club.pk}",
        "user:testapp-tag-_b32_meqge",
    }

    Bookmark.objects.filter(content_type=ContentType.objects.get_for_model(Club)).delete()
    Bookmark.objects.get(object_id=tag.pk).delete()
    assert followed_by(ada) == {f"user:{grace.pk}", f"user:testapp-product-{product.pk}"}


@pytest.mark.parametrize("key", ["no number", "9" * 40, ""])
def test_a_generic_key_to_nothing_follows_nobody(key: str, ada: User) -> None:
    users = ContentType.objects.get_for_model(User)
    Bookmark.objects.create(user=ada, content_type=users, object_id=key)
    gone = ContentType.objects.create(app_label="gone", model="thing")
    Bookmark.objects.create(user=ada, content_type=gone, object_id="1")

    assert followed_by(ada) == set()


def test_what_the_condition_raises_concerns_its_pair_alone(
    ada: User, grace: User, product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    Alert.objects.create(user=ada, product=product)
    odd = Alert.objects.create(user=grace, product=product)
    monkeypatch.setattr(
        Product, "on_sale", property(lambda row: 1 / (Alert.objects.count() - 2), lambda row, value: None)
    )
    assert drain().parked == 2
    monkeypatch.setattr(Product, "on_sale", True)
    odd.save()

    assert followed_by(grace) == {f"user:testapp-product-{product.pk}"}
    reasons = OutboxEntry.objects.filter(model_label="testapp.Alert#follow").values_list("reason", flat=True)
    assert list(reasons) == ["Alert.product.on_sale raised ZeroDivisionError: division by zero"]


def test_a_registered_row_reacts_once_it_counts(ada: User, grace: User, product: Product) -> None:
    review = Review.objects.create(user=grace, product=product)
    vote = Vote.objects.create(user=ada, review=review, counts=False)
    settled()
    assert get_client().reactions.filter(user_id=str(ada.pk))["results"] == []

    Vote.objects.update(counts=True)
    republish(Vote.objects.all())
    settled()
    (reaction,) = get_client().reactions.filter(user_id=str(ada.pk))["results"]
    assert reaction["kind"] == "vote"

    vote.delete()
    settled()
    assert get_client().reactions.filter(user_id=str(ada.pk))["results"] == []


def test_nobody_is_told_of_what_they_did_themselves(
    ada: User, grace: User, product: Product, feed_of: FeedOf
) -> None:
    own = Review.objects.create(user=grace, product=product)
    Vote.objects.create(user=grace, review=own)
    settled()
    assert feed_of("notification", grace) == []

    review = Review.objects.create(user=ada, product=product)
    Vote.objects.create(user=ada, review=own)
    settled()
    told = feed_of("notification", grace)
    assert {group["verb"] for group in told} == {"review", "vote"}
    assert feed_of("notification", ada) == []
    assert len(feed_of("user", ada)) == 1, review


def test_bulk_operations_of_its_own_manager_are_seen(ada: User, product: Product, feed_of: FeedOf) -> None:
    Review.objects.bulk_create([Review(user=ada, product=product, approved=False) for _ in range(3)])
    settled()
    assert feed_of("user", ada) == []

    Review.objects.update(approved=True)
    settled()
    assert len(feed_of("user", ada)) == 3

    Review.objects.filter(user=ada).delete()
    settled()
    assert feed_of("user", ada) == []


def test_a_registered_model_is_a_collection(ada: User, product: Product) -> None:
    Review.objects.create(user=ada, product=product)
    settled()
    assert get_client().collections.get("products", product.pk)["data"]["title"] == "Lamp"
    Alert.objects.create(user=ada, product=product)
    feed_manager.follow_user(ada, ada)
    (activity,) = timeline(ada).page()
    assert activity["target"] == product


@pytest.mark.parametrize("wrong", ["testapp.Reviews", "nothing", Plain(), None])
def test_what_is_no_model_is_refused_in_words(wrong: Any) -> None:
    with pytest.raises((LookupError, ValueError, TypeError)) as caught:
        register(wrong, actor="user")
    assert str(wrong) in str(caught.value)
    assert ("'testapp.Review'" in str(caught.value)) is (wrong == "testapp.Reviews")


def test_follows_need_a_many_to_many_field_or_two_keys() -> None:
    with pytest.raises(TypeError, match="follower=…, followed=…"):
        register_follows(apps.get_model("testapp.Alert"), "user")
    with pytest.raises(TypeError, match="without should_publish"):
        register_follows(Club, "watched", should_publish="name")


def test_keys_of_text_that_are_uuids_name_the_same_row(ada: User) -> None:
    key = uuid.uuid4()
    photos = ContentType.objects.get(app_label="testapp", model="photo")
    Bookmark.objects.create(user=ada, content_type=photos, object_id=key.hex)

    assert followed_by(ada) == {f"user:testapp-photo-{key}"}


def test_of_two_rows_that_name_one_owner_in_different_letters_either_is_enough(ada: User) -> None:
    key = uuid.uuid4()
    photos = ContentType.objects.get(app_label="testapp", model="photo")
    spelt = [str(key), key.hex, str(key).upper(), key.hex.upper()]
    rows = [Bookmark.objects.create(user=ada, content_type=photos, object_id=text) for text in spelt]
    for row in rows:
        assert followed_by(ada) == {f"user:testapp-photo-{key}"}
        row.delete()
    assert followed_by(ada) == set()
