"""`manage.py stream_server_maintain`: regular maintenance, for cron."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from django_stream.database.commands import DatabaseCommand
from django_stream.server.events import audit_log
from django_stream.server.fanout import jobs as fanout
from django_stream.server.maintenance import heal_orphans


class Command(DatabaseCommand):
    help = (
        "Run large fan-outs that a killed process left behind, delete old audit log entries and, "
        "with --orphans, take activities that do not exist off all feeds."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--idle", type=float, default=300.0, help="seconds after which a fan-out counts as left behind"
        )
        parser.add_argument(
            "--orphans",
            action="store_true",
            help="look through all feeds, which takes a while on large servers",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        resumed = fanout.resume(options["idle"])
        pruned = audit_log.prune()
        self.stdout.write(f"{resumed} fan-outs resumed, {pruned} audit log entries deleted")
        if options["orphans"]:
            self.stdout.write(f"{heal_orphans()} feeds listed activities that do not exist, and were healed")
