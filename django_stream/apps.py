"""App configuration of the site's half."""

from django.apps import AppConfig, apps
from django.core import checks

_CHECKS_OF_MODELS = (
    "api_reactions.check_api_reactions",
    "capture.check_capture",
    "databases.check_databases",
    "keys.check_keys",
    "models.check_tracked_models",
    "owners.check_owners",
    "visibility.check_visibility",
)


class DjangoStreamConfig(AppConfig):
    name = "django_stream"
    label = "django_stream"
    verbose_name = "Activity feeds"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from django.contrib.auth import get_user_model

        from django_stream.activities.registry import show, track_mixins
        from django_stream.backends import get_client
        from django_stream.client.shared import provide
        from django_stream.database import mariadb_checks, mariadb_tables
        from django_stream.database.late_checks import register_late
        from django_stream.publishing.migrating import follow_migrations

        for path in _CHECKS_OF_MODELS:
            register_late(f"django_stream.activities.checks.{path}", checks.Tags.models)
        register_late("django_stream.activities.checks.capture.check_triggers", checks.Tags.database)
        register_late("django_stream.database.poolers.check_pooler", checks.Tags.database)
        register_late("django_stream.database.replicas.checks.check_replicas")
        register_late("django_stream.checks.check_settings", "django_stream")
        register_late("django_stream.checks.check_condition", "django_stream", deploy=True)
        provide(get_client)
        track_mixins()
        follow_migrations(self)
        mariadb_tables.follow_migrations(self)
        mariadb_checks.register(self)
        show(get_user_model())
        if apps.is_installed("drf_spectacular"):
            from django_stream.api import schema  # noqa: F401  describes our views
