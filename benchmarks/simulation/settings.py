"""Those of the report's site."""

from benchmarks.report.settings import *  # noqa: F403
