"""`manage.py stream_drain`: another name of `stream_outbox drain`, for several databases at once."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser
from django.db import DEFAULT_DB_ALIAS, connections

from django_stream.database.commands import DatabaseCommand
from django_stream.management.commands._relay import relay
from django_stream.management.commands.stream_outbox import told
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

        parser.add_argument(
            "--listen",
            action="store_true",
            help="go on until it is told to stop: PostgreSQL tells of changes that triggers note",
        )
        parser.add_argument(
            "--every",
            type=float,
            default=10.0,
            metavar="SECONDS",
            help="with --listen: look this often besides",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        databases = options["database"] or [DEFAULT_DB_ALIAS]
        for using in databases if options["retry_parked"] else ():
            self.stdout.write(f"{retry_parked(using)} parked entries are due again")
        if options["listen"]:
            relay(databases, options["every"], self._report)
        else:
            self._report(sum((drain(using) for using in databases), DrainReport()))

    def _report(self, total: DrainReport) -> None:
        self.stdout.write(told(total))
