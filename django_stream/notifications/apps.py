"""App configuration; with it, notification feeds are read as their owners want them."""

from django.apps import AppConfig


class NotificationsConfig(AppConfig):
    name = "django_stream.notifications"
    label = "django_stream_notifications"
    verbose_name = "Notifications"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from django_stream.database import mariadb_checks, mariadb_tables
        from django_stream.database.late_checks import register_late
        from django_stream.feeds.lenses import install_lens
        from django_stream.notifications.lens import lens_for

        register_late("django_stream.notifications.checks.check_digests", "django_stream")
        mariadb_tables.follow_migrations(self)
        mariadb_checks.register(self)
        install_lens(lens_for)
