"""`manage.py stream_drain`: publish what is due, for sites without a Celery worker (by cron)."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser
from django.db import DEFAULT_DB_ALIAS, connections

from django_stream.database.commands import DatabaseCommand
from django_stream.publishing.drain import drain
from django_stream.publishing.parking import retry_parked
from django_stream.publishing.report import DrainReport


class Command(DatabaseCommand):
    help = "Publish the changes that are due."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--database", action="append", choices=list(connections), help="may be repeated")
        parser.add_argument(
            "--retry-parked", action="store_true", help="give parked changes another chance first"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        total = DrainReport()
        for using in options["database"] or [DEFAULT_DB_ALIAS]:
            if options["retry_parked"]:
                self.stdout.write(f"{retry_parked(using)} parked entries are due again")
            total += drain(using)
        self.stdout.write(f"published {total.published}, to be retried {total.failed}, parked {total.parked}")
