"""A real shop whose code is not ours: its history, an import, approvals, SQL by hand, and its own methods."""

from __future__ import annotations

import random
from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection
from oscar.core.loading import get_model
from oscar.test.factories import ProductClassFactory

from django_stream import feeds
from django_stream.models import OutboxEntry, Publication
from django_stream.publishing import capture
from django_stream.tracking import activities_paused, drain
from tests.packages.shop.expected import check_feeds, rows

pytestmark = pytest.mark.django_db

Product = get_model("catalogue", "Product")
ProductAlert = get_model("customer", "ProductAlert")
ProductReview = get_model("reviews", "ProductReview")
Vote = get_model("reviews", "Vote")
WishList = get_model("wishlists", "WishList")
Line = get_model("wishlists", "Line")

USERS, PRODUCTS, REVIEWS, IMPORTED = 30, 70, 300, 1761


class Shop:
    """Rows, made by the ORM's bulk operations as a script of the shop's owner would."""

    def __init__(self) -> None:
        self.chance = random.Random(13)
        names = [f"user{number}" for number in range(USERS)]
        self.users = list(User.objects.bulk_create(User(username=name) for name in names))
        kind = ProductClassFactory()
        self.products = [
            Product.objects.create(title=f"Thing {number}", product_class=kind, upc=str(number))
            for number in range(PRODUCTS)
        ]
        pairs = [(user, product) for user in self.users for product in self.products]
        self.chance.shuffle(pairs)
        self.pairs = iter(pairs)

    def review(self, how_many: int, *statuses: int) -> list[Any]:
        """Some of them anonymous."""
        made = [
            ProductReview(
                product=product,
                user=user,
                score=number % 6,
                title=f"t{number}",
                status=statuses[number % len(statuses)],
            )
            for number, (user, product) in zip(range(how_many), self.pairs, strict=False)
        ]
        made += [
            ProductReview(product=product, score=1, title="who am I", status=1)
            for product in self.products[:3]
        ]
        return list(ProductReview.objects.bulk_create(made))

    def vote(self, reviews: list[Any]) -> None:
        votes = {
            (review.pk, self.chance.choice(self.users).pk): self.chance.choice([1, -1])
            for review in self.chance.sample(reviews, 60)
        }
        Vote.objects.bulk_create(
            Vote(review_id=review, user_id=user, delta=delta) for (review, user), delta in votes.items()
        )

    def wish(self) -> None:
        for user in self.users[::4]:
            visibility = self.chance.choice([WishList.PUBLIC, WishList.PRIVATE, WishList.SHARED])
            wishlist = WishList.objects.create(owner=user, visibility=visibility)
            some = self.chance.sample(self.products, 4)
            Line.objects.bulk_create(Line(wishlist=wishlist, product=one, title=one.title) for one in some)

    def watch(self) -> None:
        """Each user wants to hear of some products, or did; twice of one of them; and so do strangers."""
        alerts = []
        for user in self.users:
            some = self.chance.sample(self.products, 5)
            states = [ProductAlert.ACTIVE] * 4 + [ProductAlert.CANCELLED]
            alerts += [
                ProductAlert(user=user, product=one, status=self.chance.choice(states))
                for one in [*some, some[0]]
            ]
        alerts += [ProductAlert(product=one, email="e@example.org", key="k") for one in self.products[:3]]
        ProductAlert.objects.bulk_create(alerts)

    def check(self) -> None:
        report = drain()
        assert (report.failed, report.parked) == (0, 0)
        assert not OutboxEntry.objects.exists()
        check_feeds([one.pk for one in self.users], [one.pk for one in self.products])


@pytest.fixture
def shop() -> Shop:
    """Its history is from before anybody watched."""
    capture.remove("default")
    shop = Shop()
    with activities_paused():
        shop.vote(shop.review(REVIEWS, 0, 1, 1, 2))
        shop.wish()
        shop.watch()
    assert not OutboxEntry.objects.exclude(model_label="catalogue.Product#collection").exists()
    capture.reconcile("default")
    call_command("stream_sync", verbosity=0, stdout=StringIO())
    call_command("stream_backfill", verbosity=0, stdout=StringIO())
    return shop


def sql(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        assert cursor.rowcount > 0


def test_history_is_backfilled(shop: Shop) -> None:
    shop.check()
    (count,) = rows("SELECT count(*) FROM reviews_productreview WHERE status = 1 AND user_id IS NOT NULL")
    assert Publication.objects.filter(model_label="reviews.ProductReview").count() == count[0] > REVIEWS / 3


def test_an_import_and_its_approval_by_update(shop: Shop) -> None:
    imported = shop.review(IMPORTED, 0)
    shop.check()

    ProductReview.objects.filter(status=0).update(status=1)
    shop.check()

    shop.vote(imported)
    ProductReview.objects.filter(pk__in=[one.pk for one in imported[::3]]).update(status=2)
    shop.check()


STATEMENTS = [
    "UPDATE reviews_productreview SET status = 1 WHERE status = 0",
    "UPDATE reviews_productreview SET status = 2 WHERE score > 2",
    "UPDATE reviews_productreview SET title = 'better' WHERE score = 1",
    "UPDATE reviews_productreview SET user_id = NULL WHERE score = 1",
    "UPDATE customer_productalert SET status = 'Cancelled' WHERE id % 3 = 0",
    "UPDATE customer_productalert SET status = 'Active' WHERE user_id IS NOT NULL",
    "DELETE FROM customer_productalert WHERE id % 2 = 0",
    "UPDATE reviews_vote SET delta = -delta",
    "DELETE FROM reviews_vote WHERE delta = 1",
    "UPDATE wishlists_wishlist SET visibility = 'Public' WHERE visibility <> 'Public'",
    "UPDATE wishlists_wishlist SET visibility = 'Private' WHERE visibility = 'Public'",
    "DELETE FROM wishlists_line WHERE id % 2 = 0",
    "UPDATE catalogue_product SET title = title || '!'",
]


def test_sql_by_hand(shop: Shop) -> None:
    for number, statement in enumerate(STATEMENTS):
        sql(statement)
        if number % 3 == 0:
            shop.check()


def test_deletions(shop: Shop) -> None:
    some = iter(shop.products)
    next(some).delete()
    Product.objects.filter(pk__in=[next(some).pk, next(some).pk]).delete()
    shop.check()
    shop.users[0].delete()
    User.objects.filter(pk__in=[one.pk for one in shop.users[4:8]]).delete()
    shop.check()
    ProductReview.objects.filter(score__lt=3).delete()
    WishList.objects.filter(visibility=WishList.PUBLIC).first().delete()
    shop.check()
    ProductAlert.objects.all().delete()
    sql("DELETE FROM reviews_vote")
    shop.check()


def _approve(shop: Shop) -> None:
    review = ProductReview.objects.filter(status=0, user__isnull=False).first()
    review.status = review.APPROVED
    review.save()


def _vote(shop: Shop) -> None:
    review = ProductReview.objects.filter(status=1, user__isnull=False).last()
    review.votes.all().delete()
    review.vote_up(shop.users[0])
    review.vote_down(shop.users[1])


def _wish(shop: Shop) -> None:
    wishlist = WishList.objects.create(owner=shop.users[1], visibility=WishList.PUBLIC)
    for product in (shop.products[0], shop.products[1], shop.products[0]):
        wishlist.add(product)


def _publish_list(shop: Shop) -> None:
    wishlist = WishList.objects.exclude(visibility=WishList.PUBLIC).first()
    wishlist.visibility = wishlist.PUBLIC
    wishlist.save()


def _alert(shop: Shop) -> None:
    alert = ProductAlert.objects.filter(status=ProductAlert.ACTIVE).first()
    alert.cancel()
    ProductAlert.objects.filter(status=ProductAlert.ACTIVE).last().close()
    ProductAlert.objects.create(user=shop.users[2], product=shop.products[5])
    alert.confirm()


@pytest.mark.parametrize("action", [_approve, _vote, _wish, _publish_list, _alert])
def test_what_the_shop_itself_does(action: Callable[[Shop], None], shop: Shop) -> None:
    action(shop)
    shop.check()


def test_pages_show_instances(shop: Shop) -> None:
    shop.check()
    alert = ProductAlert.objects.filter(status=ProductAlert.ACTIVE, user__isnull=False).first()
    page = feeds.timeline(alert.user).page(limit=20)
    assert {type(activity["actor"]) for activity in page} == {User}
    assert {activity["verb"] for activity in page} <= {"review", "wish"}
    assert all(isinstance(activity["object"], (ProductReview, Product)) for activity in page)
    about = {activity.get("target") or activity["object"] for activity in page}
    assert about <= set(Product.objects.filter(productalert__user=alert.user))
    assert about
    shown = feeds.profile(alert.product).page()
    assert {activity.get("target") or activity["object"] for activity in shown} == {alert.product}
