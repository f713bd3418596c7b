"""App configuration of the site's half."""

from django.apps import AppConfig, apps
from django.core import checks


class DjangoStreamConfig(AppConfig):
    name = "django_stream"
    label = "django_stream"
    verbose_name = "Activity feeds"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from django.contrib.auth import get_user_model

        from django_stream.activities.checks.api_reactions import check_api_reactions
        from django_stream.activities.checks.capture import check_capture, check_triggers
        from django_stream.activities.checks.databases import check_databases
        from django_stream.activities.checks.keys import check_keys
        from django_stream.activities.checks.models import check_tracked_models
        from django_stream.activities.checks.owners import check_owners
        from django_stream.activities.checks.visibility import check_visibility
        from django_stream.activities.registry import show, track_mixins
        from django_stream.backends import get_client
        from django_stream.checks import check_condition, check_settings
        from django_stream.client.shared import provide
        from django_stream.database import mariadb_checks, mariadb_tables
        from django_stream.database.poolers import check_pooler
        from django_stream.database.replicas.checks import check_replicas
        from django_stream.publishing.migrating import follow_migrations

        checks.register(check_capture, checks.Tags.models)
        checks.register(check_triggers, checks.Tags.database)
        checks.register(check_pooler, checks.Tags.database)
        checks.register(check_settings, "django_stream")
        checks.register(check_condition, "django_stream", deploy=True)
        checks.register(check_tracked_models, checks.Tags.models)
        checks.register(check_keys, checks.Tags.models)
        checks.register(check_owners, checks.Tags.models)
        checks.register(check_databases, checks.Tags.models)
        checks.register(check_api_reactions, checks.Tags.models)
        checks.register(check_replicas)
        provide(get_client)
        checks.register(check_visibility, checks.Tags.models)
        track_mixins()
        follow_migrations(self)
        mariadb_tables.follow_migrations(self)
        mariadb_checks.register(self)
        show(get_user_model())
        if apps.is_installed("drf_spectacular"):
            from django_stream.api import schema  # noqa: F401  describes our views
