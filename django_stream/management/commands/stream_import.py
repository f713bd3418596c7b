"""`manage.py stream_import --from …`: bring over what another package, or the hosted service, left."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import CommandParser

from django_stream.backends import get_client, get_other_client
from django_stream.management.commands._family import FamilyCommand, WrongUse
from django_stream.management.commands._moving import copy_home, tell_outcome
from django_stream.moving import actstream, notifications, stream_framework
from django_stream.moving.sending import Destination, MissingGroups, Outcome, require_groups
from django_stream.moving.tables import NoSuchTable

_PACKAGES = ("actstream", "notifications", "stream-django", "stream-framework")


class Command(FamilyCommand):
    help = (
        "Bring follows, activities and notifications of another package to the feeds, from its tables, from "
        "the hosted service, or from Redis. Running it twice does no harm. Exit code 1: the API refused some."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--from",
            dest="package",
            required=True,
            choices=_PACKAGES,
            help="the package whose tables, keys or API are read",
        )
        parser.add_argument("--table", help="of notifications, where the site has its own model")
        parser.add_argument(
            "--feeds",
            nargs="+",
            default=[],
            metavar="GROUP|GROUP:ID",
            help="of stream-django: more groups of which users have feeds, and ids of further feeds",
        )
        parser.add_argument(
            "--home", default="hosted", help="of stream-django: a base URL, for a server of its kind"
        )
        parser.add_argument(
            "--resume", action="store_true", help="of stream-django: go on where it was killed"
        )
        parser.add_argument("--mapping", help="of stream-framework: dotted path of what its ids stand for")
        parser.add_argument(
            "--redis", default="redis://localhost:6379/0", help="of stream-framework: its URL"
        )
        parser.add_argument(
            "--unpickle",
            action="store_true",
            help="of stream-framework: read extra_context; only if nobody else writes to this Redis",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        outcome = Outcome()
        to = Destination(get_client(), outcome, dry_run=options["dry_run"])
        try:
            getattr(self, "_" + options["package"].replace("-", "_"))(to, options)
        except NoSuchTable as error:
            raise WrongUse(f"{error}: name the right one by --database or --table") from error
        except MissingGroups as error:
            raise WrongUse(
                f"the API lacks the feed groups {error}: add them to STREAM_SERVER_FEED_GROUPS, "
                "as docs/moving.md tells"
            ) from error
        except (ImproperlyConfigured, stream_framework.WrongMapping) as error:
            raise WrongUse(str(error)) from error
        tell_outcome(self, outcome, "would be sent" if options["dry_run"] else "sent")

    def _actstream(self, to: Destination, options: dict[str, Any]) -> None:
        require_groups(to.client, actstream.groups())
        actstream.run(to, options["database"])

    def _notifications(self, to: Destination, options: dict[str, Any]) -> None:
        require_groups(to.client, notifications.groups())
        notifications.run(to, options["database"], options["table"] or notifications.table())

    def _stream_django(self, to: Destination, options: dict[str, Any]) -> None:
        copy_home(get_other_client(options["home"]), to.client, to.outcome, options["feeds"], options)

    def _stream_framework(self, to: Destination, options: dict[str, Any]) -> None:
        require_groups(to.client, stream_framework.groups())
        ids = stream_framework.ids_named(options["mapping"])
        using = options["database"]
        stream_framework.run(to, using, options["redis"], ids, unpickle=options["unpickle"])
