"""App configuration of the measured models."""

from django.apps import AppConfig


class BenchmarkConfig(AppConfig):
    name = "benchmarks.publishing"
    label = "measured"
