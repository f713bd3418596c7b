"""App configuration of the measured models."""

from django.apps import AppConfig


class ReportConfig(AppConfig):
    name = "benchmarks.report"
    label = "report"
