"""`manage.py stream_verify [app.Model …]`: by what the feeds differ from the tables."""

from __future__ import annotations

from collections import Counter
from typing import Any

from django.core.management.base import CommandParser

from django_stream.management.commands._comparing import ComparingCommand
from django_stream.management.commands._publishing import positive


class Command(ComparingCommand):
    help = (
        "Compare the tables with the feeds, both ways, and change nothing. missing: a row wants it, and the "
        "feeds do not have it. extra: the feeds have it, and no row wants it. stale: its content is another. "
        "misplaced: it should be in another feed. unreadable: the code of a row fails. server: a timeline, a "
        "group or a counter of the embedded server is wrong."
    )
    example = "blog.Post --sample 1000"
    changes_something = False

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--sample",
            type=positive,
            metavar="N",
            help="only so many rows of each model, by chance: nothing extra is looked for",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        found: Counter[str] = Counter()
        for one in self.differences(**options):
            self.tell_of(one)
            found[one.kind] += 1
        self.end(found, "run stream_repair")
