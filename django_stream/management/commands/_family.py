"""What all commands of the family share: options, output for people and for programs, and exit codes."""

from __future__ import annotations

import json
import sys
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import DEFAULT_DB_ALIAS, connections

from django_stream.database.commands import DatabaseCommand
from django_stream.operations.ledgers import OutOfReach


class WrongUse(CommandError):
    """What was typed cannot be done: exit code 2."""

    def __init__(self, message: str) -> None:
        super().__init__(message, returncode=2)


class Unfinished(CommandError):
    """Differences or failures remain: exit code 1."""


def leave_out_option(parser: CommandParser) -> None:
    """For commands that ask the other databases what is theirs."""
    parser.add_argument(
        "--leave-out",
        action="append",
        default=[],
        choices=list(connections),
        metavar="ALIAS",
        help="go on without this database, which cannot be asked what is its own: "
        "then nothing is extra that the ledger does not know",
    )


class FamilyCommand(DatabaseCommand):
    """Exit code 0: done and right; 1: differences or failures remain; 2: wrong use."""

    example = ""
    """What people type most often, without `manage.py` and the name of the command."""
    changes_something = True
    """Whether there is something that `--dry-run` leaves undone."""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--database",
            default=DEFAULT_DB_ALIAS,
            choices=list(connections),
            help="alias of the database with the rows",
        )
        if self.changes_something:
            parser.add_argument(
                "--dry-run", action="store_true", help="tell what would be done, and do nothing"
            )
        parser.add_argument(
            "--json", action="store_true", help="one JSON object a line, the last one a summary"
        )
        parser.add_argument("--quiet", action="store_true", help="print only what went wrong")

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        """The parser, with an example and the meaning of exit codes at the end of its help."""
        ends = "Exit code 0: done and right; 1: differences or failures remain; 2: wrong use."
        example = f"Example: manage.py {subcommand} {self.example}. " if self.example else ""
        return super().create_parser(prog_name, subcommand, epilog=f"{example}{ends}", **kwargs)

    def execute(self, *args: Any, **options: Any) -> str | None:
        self.as_json, self.is_quiet = bool(options.get("json")), bool(options.get("quiet"))
        try:
            return super().execute(*args, **options)
        except OutOfReach as error:
            raise Unfinished(str(error)) from error

    def tell(self, text: str, /, **facts: Any) -> None:
        """A line for people, or its facts for programs."""
        if self.as_json:
            self.stdout.write(json.dumps(facts, default=str))
        elif text and not self.is_quiet:
            self.stdout.write(text)

    def conclude(self, text: str, /, *, remaining: str = "", **facts: Any) -> None:
        """The last line; with something `remaining`, the command ends with exit code 1."""
        self.tell(text, summary=True, ok=not remaining, **facts)
        if remaining:
            raise Unfinished(remaining)

    @property
    def shows_progress(self) -> bool:
        return not self.as_json and not self.is_quiet and self._is_terminal()

    def _is_terminal(self) -> bool:
        return self.stdout.isatty() and sys.stdout.isatty()
