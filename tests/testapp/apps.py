"""App configuration of the test project: registers a model that it pretends not to own."""

from typing import Any

from django.apps import AppConfig


def _is_there(bookmark: Any) -> bool:
    return not bookmark.deleted


class TestAppConfig(AppConfig):
    name = "tests.testapp"
    label = "testapp"

    def ready(self) -> None:
        from django_stream.tracking import (
            register,
            register_collection,
            register_follows,
            register_reactions,
        )
        from tests.testapp.models import Badge, Club

        register(Badge, actor="user", verb="win", object="group", time="won_at")
        register_follows(Club, "watched")
        register_follows(Club, "allies")
        register_collection("testapp.Product", name="products", fields=["title"])
        register(
            "testapp.Review",
            time="written_at",
            target="product",
            to="product.owner",
            should_publish="approved",
            watch=["user", "product", "approved", "written_at", "product.owner"],
        )
        register_reactions("testapp.Vote", activity="review", to="review.user", should_publish="counts")
        register_follows(
            "testapp.Alert", follower="user", followed="product", should_publish="product.on_sale"
        )
        register_follows("testapp.Introduction", follower="reader", followed="first")
        register_follows("testapp.Introduction", follower="reader", followed="second")
        register_follows("testapp.Bookmark", follower="user", followed="thing", should_publish=_is_there)
