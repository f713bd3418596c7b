"""`manage.py stream_compare [app.Model …]`: would a backfill double what the API holds already?"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.core.management.base import CommandParser

from django_stream.activities.kinds import publishers_for
from django_stream.activities.publishers.activities import ActivityPublisher
from django_stream.backends import get_client
from django_stream.management.commands._family import FamilyCommand
from django_stream.management.commands._publishing import chosen
from django_stream.moving.comparing import Comparison, compare

_REMEDY = 'give the model `class Activity: identity = "stream-django"` to keep what is there'
_SHOWN = 3


class Command(FamilyCommand):
    help = (
        "Compare foreign ids, times and feeds of the newest rows with what the API holds, before anything is "
        "sent. Nothing is changed. Exit code 1: some would be doubled."
    )
    changes_something = False

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("models", nargs="*", metavar="app.Model", help="all when none is named")
        super().add_arguments(parser)
        parser.add_argument("--sample", type=int, default=50, help="rows of each model that are looked at")

    def handle(self, *args: Any, **options: Any) -> None:
        total = Comparison("all")
        for publisher in chosen(publishers_for("stream_backfill"), options["models"]):
            if isinstance(publisher, ActivityPublisher):
                found = compare(publisher, get_client(), options["database"], options["sample"])
                self._tell(found)
                total += found
        doubled = len(total.differences)
        self.conclude(
            _counts(total),
            remaining=f"{doubled} activities would be doubled: {_REMEDY}" if doubled else "",
            same=total.found,
            absent=total.absent,
            doubled=doubled,
        )

    def _tell(self, found: Comparison) -> None:
        self.tell(
            _counts(found),
            model=found.label,
            same=found.found,
            absent=found.absent,
            failed=found.failed,
            differences=[asdict(one) for one in found.differences],
        )
        if not self.as_json:
            for reason, count in found.failed.most_common(_SHOWN):
                self.tell(f"  {count} rows: {reason}")
            for difference in found.differences[:_SHOWN]:
                self.tell(f"  {difference.name}: {difference.there} there, {difference.here} here")


def _counts(found: Comparison) -> str:
    return (
        f"{found.label}: {found.found} are the same, {found.absent} are not there, "
        f"{len(found.differences)} would be doubled, {found.failed.total()} cannot be published"
    )
