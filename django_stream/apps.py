"""App configuration of the site's half."""

from django.apps import AppConfig
from django.core import checks


class DjangoStreamConfig(AppConfig):
    name = "django_stream"
    label = "django_stream"
    verbose_name = "Activity feeds"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from django.contrib.auth import get_user_model

        from django_stream.activities.checks.keys import check_keys
        from django_stream.activities.checks.models import check_tracked_models
        from django_stream.activities.checks.owners import check_owners
        from django_stream.activities.registry import show, track_mixins
        from django_stream.checks import check_settings

        checks.register(check_settings, "django_stream")
        checks.register(check_tracked_models, checks.Tags.models)
        checks.register(check_keys, checks.Tags.models)
        checks.register(check_owners, checks.Tags.models)
        track_mixins()
        show(get_user_model())
