"""`manage.py stream_move --to hosted|embedded|URL`: take the feeds to another home."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import CommandParser

from django_stream.backends import get_client, get_other_client
from django_stream.management.commands._family import FamilyCommand, WrongUse
from django_stream.management.commands._moving import copy_home, tell_outcome
from django_stream.moving.sending import Outcome
from django_stream.moving.shadowing import compared


class Command(FamilyCommand):
    help = (
        "Copy follows, activities, reactions, collections, users and marks to another home of the feeds, "
        "which STREAM_OTHER_HOME tells of. Running it twice does no harm. With --shadow nothing is copied: "
        "pages of both are compared. Exit code 1: the API refused some, or pages differ."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--to", required=True, metavar="hosted|embedded|URL", help="the home that the feeds go to"
        )
        parser.add_argument("--shadow", action="store_true", help="compare the pages of both homes instead")
        parser.add_argument("--sample", type=int, help="with --shadow: so many users; all otherwise")
        parser.add_argument(
            "--feeds",
            nargs="+",
            default=[],
            metavar="GROUP|GROUP:ID",
            help="more groups of which users have feeds, and ids of further feeds",
        )
        parser.add_argument("--resume", action="store_true", help="go on where a copy was killed")

    def handle(self, *args: Any, **options: Any) -> None:
        here = get_client()
        try:
            there = get_other_client(options["to"])
        except ImproperlyConfigured as error:
            raise WrongUse(str(error)) from error
        if options["shadow"]:
            self._compare(here, there, options)
        else:
            outcome = Outcome()
            copy_home(here, there, outcome, options["feeds"], options)
            tell_outcome(self, outcome, "would be copied" if options["dry_run"] else "copied")

    def _compare(self, here: Any, there: Any, options: dict[str, Any]) -> None:
        pages = differing = 0
        for name, found in compared(here, there, options["database"], options["feeds"], options["sample"]):
            pages += 1
            if found:
                differing += 1
                self.tell(f"{name}: {'; '.join(found)}", feed=str(name), differences=found)
        self.conclude(
            f"{pages} feeds compared, {differing} differ",
            remaining=f"{differing} feeds differ: run it without --shadow, and compare again"
            if differing
            else "",
            compared=pages,
            differing=differing,
        )
