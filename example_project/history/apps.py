"""App configuration of the example's second part: a project's history as a social stream."""

from django.apps import AppConfig


class HistoryConfig(AppConfig):
    name = "example_project.history"
    label = "history"
