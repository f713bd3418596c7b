"""App configuration of the server half."""

from django.apps import AppConfig
from django.core.checks import Tags, register


class StreamServerConfig(AppConfig):
    name = "django_stream.server"
    label = "django_stream_server"
    verbose_name = "Stream server"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the system checks, and see to it that Django can read every request."""
        from django_stream.database import mariadb_checks, mariadb_tables
        from django_stream.database.poolers import check_pooler
        from django_stream.database.replicas.checks import check_replicas
        from django_stream.server import checks, deployment_checks
        from django_stream.server.charsets import mend_requests

        assert checks
        assert deployment_checks
        register(check_pooler, Tags.database)
        register(check_replicas)
        mend_requests()
        mariadb_tables.follow_migrations(self, takes_turns=True)
        mariadb_checks.register(self, takes_turns=True)
