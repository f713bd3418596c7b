"""App configuration of the server half."""

from django.apps import AppConfig
from django.core.checks import Tags
from django.db.models.signals import pre_delete


class StreamServerConfig(AppConfig):
    name = "django_stream.server"
    label = "django_stream_server"
    verbose_name = "Stream server"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the system checks, and see to it that Django can read every request."""
        from django_stream.database import mariadb_checks, mariadb_tables
        from django_stream.database.late_checks import register_late
        from django_stream.server.charsets import mend_requests
        from django_stream.server.files.deletions import forget_application
        from django_stream.server.models import Application

        register_late("django_stream.server.checks.check_settings", "django_stream_server")
        register_late("django_stream.server.checks.check_pulled_placements", Tags.database)
        register_late(
            "django_stream.server.deployment_checks.check_deployment", "django_stream_server", deploy=True
        )
        register_late("django_stream.database.poolers.check_pooler", Tags.database)
        register_late("django_stream.database.replicas.checks.check_replicas")
        mend_requests()
        pre_delete.connect(
            forget_application, sender=Application, dispatch_uid="django_stream_server.forget_application"
        )
        mariadb_tables.follow_migrations(self, takes_turns=True)
        mariadb_checks.register(self, takes_turns=True)
