"""App configuration of the example's social part."""

from django.apps import AppConfig


class SocialConfig(AppConfig):
    name = "example_project.social"
    label = "social"

    def ready(self) -> None:
        from example_project.social import people

        people.declare()
