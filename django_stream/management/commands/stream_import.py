"""`manage.py stream_import --from actstream|notifications`: bring over what another package left."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from django_stream.backends import get_client
from django_stream.management.commands._family import FamilyCommand, WrongUse
from django_stream.moving import actstream, notifications
from django_stream.moving.sending import Destination, MissingGroups, Outcome, require_groups
from django_stream.moving.tables import NoSuchTable


class Command(FamilyCommand):
    help = (
        "Bring follows, activities and notifications of another package to the feeds, from its tables. "
        "Running it twice does no harm. Exit code 1: the API refused some."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--from", dest="package", required=True, choices=("actstream", "notifications"))
        parser.add_argument("--table", help="of notifications, where the site has its own model")

    def handle(self, *args: Any, **options: Any) -> None:
        outcome = Outcome()
        to = Destination(get_client(), outcome, dry_run=options["dry_run"])
        try:
            if options["package"] == "actstream":
                require_groups(to.client, actstream.groups())
                actstream.run(to, options["database"])
            else:
                require_groups(to.client, notifications.groups())
                notifications.run(to, options["database"], options["table"] or notifications.table())
        except NoSuchTable as error:
            raise WrongUse(f"{error}: name the right one by --database or --table") from error
        except MissingGroups as error:
            raise WrongUse(
                f"the API lacks the feed groups {error}: add them to STREAM_SERVER_FEED_GROUPS, "
                "as docs/moving.md tells"
            ) from error
        self._tell(outcome, "would be sent" if options["dry_run"] else "sent")

    def _tell(self, outcome: Outcome, done: str) -> None:
        for reason, count in outcome.left_out.items():
            if count:
                self.tell(f"{count} left out: {reason}", left_out=count, reason=reason)
        for note, count in outcome.notes.items():
            self.tell(f"{count} {note}", sent=count, note=note)
        if outcome.hidden:
            labels = ", ".join(f'"{label}"' for label in sorted(outcome.hidden))
            self.tell(
                f"Pages show their rows once ready() of an app calls tracking.show({labels}).",
                hidden=sorted(outcome.hidden),
            )
        refused = f"{outcome.refused} activities were refused by the API" if outcome.refused else ""
        self.conclude(
            f"{outcome.follows} follows and {outcome.activities} activities {done}",
            remaining=refused,
            follows=outcome.follows,
            activities=outcome.activities,
            left_out=outcome.left_out,
            refused=outcome.refused,
        )
