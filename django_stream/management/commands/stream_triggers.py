"""`manage.py stream_triggers install|check|remove`: the triggers by which the database notes changes."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import DEFAULT_DB_ALIAS, connections

from django_stream.database.commands import DatabaseCommand
from django_stream.database.triggers import installing
from django_stream.publishing import capture


class Command(DatabaseCommand):
    help = "Create, compare or drop the triggers of models that are captured by the database."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "action",
            choices=("install", "check", "remove"),
            help="install: as declared; check: exit 1 when they are not; remove: all, before uninstalling",
        )
        parser.add_argument("--database", default=DEFAULT_DB_ALIAS, choices=list(connections))
        parser.add_argument("--dry-run", action="store_true", help="print the statements and run none")

    def handle(self, *args: Any, **options: Any) -> None:
        using, action = options["database"], options["action"]
        if not installing.supports_triggers(using):
            raise CommandError(
                f"{using!r} is {connections[using].display_name}, whose triggers we cannot write"
            )
        wanted = [] if action == "remove" else capture.tables(using)
        try:
            found = installing.difference(wanted, using)
        except TypeError as error:
            raise CommandError(str(error)) from error
        if options["dry_run"]:
            for statement in found.statements():
                self.stdout.write(f"{statement};")
        elif action != "check":
            installing.apply(found, using)
            capture.forget_seen()
        self.stdout.write(
            f"{using}: {len(found.missing)} missing, {len(found.surplus)} stale or not declared"
        )
        if action == "remove" and found.surplus and not options["dry_run"]:
            self.stdout.write("removed; restart the site's processes, so that they listen to signals again")
        if action == "check" and (found.missing or found.surplus):
            sys.exit(1)
