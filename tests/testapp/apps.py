"""App configuration of the test project: registers a model that it pretends not to own."""

from django.apps import AppConfig


class TestAppConfig(AppConfig):
    name = "tests.testapp"
    label = "testapp"

    def ready(self) -> None:
        from django_stream.tracking import register, register_follows
        from tests.testapp.models import Badge, Club

        register(Badge, actor="user", verb="win", object="group", time="won_at")
        register_follows(Club, "watched")
        register_follows(Club, "allies")
