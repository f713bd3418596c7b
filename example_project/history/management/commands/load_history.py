"""`manage.py load_history`: a project's history as a social stream, through the models."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from example_project.history import source
from example_project.history.loading import load


class Command(BaseCommand):
    help = (
        "Load commits and follows through the models, so that each travels the whole path to the timelines. "
        "It can be stopped and run again at any time."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--data", type=Path, default=source.SAMPLE, help="folder with the two files")

    def handle(self, *args: Any, **options: Any) -> None:
        began = time.monotonic()
        progress = None
        try:
            for progress in load(options["data"]):
                rate = progress.read / max(time.monotonic() - began, 0.001)
                self.stdout.write(f"{progress.read} events read ({rate:.0f}/s)", ending="\r")
                self.stdout.flush()
        except FileNotFoundError as error:
            raise CommandError(str(error)) from error
        if progress is not None:
            self.stdout.write(
                f"{progress.read} events: {progress.commits} commits and {progress.follows} follows are new "
                f"({time.monotonic() - began:.1f} s)"
            )
