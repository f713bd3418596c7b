"""What a shop tells of: all of it about rows of django-oscar, noted by triggers."""

from typing import Any

from django.apps import AppConfig


def _is_shown(review: Any) -> bool:
    """Anonymous reviews have nobody who could be followed."""
    return review.is_approved and review.user_id is not None


def _is_public(line: Any) -> bool:
    return line.wishlist.visibility == line.wishlist.PUBLIC and line.product_id is not None


def _feed_of_product(row: Any) -> list[Any]:
    from django_stream.feeds import feed_manager

    return [feed_manager.get_user_feed(row.product)] if row.product else []


class ShopConfig(AppConfig):
    name = "tests.packages.shop"
    label = "shop"

    def ready(self) -> None:
        from django_stream import tracking

        tracking.register(
            "reviews.ProductReview",
            verb="review",
            target="product",
            time="date_created",
            to=_feed_of_product,
            extra=["score", "title"],
            should_publish=_is_shown,
            capture="database",
        )
        tracking.register(
            "wishlists.Line",
            actor="wishlist.owner",
            verb="wish",
            object="product",
            time="wishlist.date_created",
            to=_feed_of_product,
            should_publish=_is_public,
            watch=["wishlist.visibility", "wishlist.owner", "wishlist", "product"],
            capture="database",
        )
        tracking.register_reactions(
            "reviews.Vote", activity="review", fields=["delta"], to="review.user", capture="database"
        )
        tracking.register_follows(
            "customer.ProductAlert",
            follower="user",
            followed="product",
            should_publish="is_active",
            capture="database",
        )
        tracking.register_collection(
            "catalogue.Product", name="products", fields=["title"], capture="database"
        )
