"""`manage.py stream_doctor [--deploy]`: what is wrong with this installation, each with its remedy."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.core.management.base import CommandParser

from django_stream.management.commands._family import FamilyCommand
from django_stream.operations.doctor import Finding, examine


class Command(FamilyCommand):
    help = "Look at settings, API, feed groups, broker, outbox, ledger, triggers and more; tell what to do."
    example = "--deploy"
    changes_something = False
    requires_system_checks = ()  # they are among what is told

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--deploy", action="store_true", help="the checks of `check --deploy` too")

        parser.add_argument(
            "--full", action="store_true", help="look for orphans in all feeds, not only in the newest ones"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        worst: list[Finding] = []
        for one in examine(options["database"], deploy=options["deploy"], full=options["full"]):
            remedy = f"\n{'':9}{'':12}→ {one.remedy}" if one.remedy else ""
            self.tell(f"{one.level:<9}{one.about:<12}{one.text}{remedy}", **asdict(one))
            worst += [one] if one.level != "ok" else []
        self.conclude(
            "" if worst else "all is well",
            remaining=f"{len(worst)} findings" if worst else "",
            findings=len(worst),
        )
