"""`manage.py check_history`: every timeline against what the files say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from example_project.history import source
from example_project.history.checking import check


class Command(BaseCommand):
    help = "Compute all expected timelines from the data files alone and compare them with the feeds."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--data", type=Path, default=source.SAMPLE, help="folder with the two files")

    def handle(self, *args: Any, **options: Any) -> None:
        outcome = check(options["data"])
        self.stdout.write(
            f"{outcome.timelines} timelines compared, {outcome.entries} entries, {len(outcome.wrong)} wrong"
        )
        if outcome.wrong:
            raise CommandError("wrong timelines: " + ", ".join(outcome.wrong[:20]))
