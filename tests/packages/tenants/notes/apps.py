from django.apps import AppConfig


class NotesConfig(AppConfig):
    name = "tests.packages.tenants.notes"
    label = "notes"
