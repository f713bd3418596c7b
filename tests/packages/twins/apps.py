from django.apps import AppConfig


class TwinsConfig(AppConfig):
    name = "tests.packages.twins"
    label = "twins"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        import reversion

        from tests.packages.twins.models import Draft, DraftFirst

        reversion.register(Draft)
        reversion.register(DraftFirst)
