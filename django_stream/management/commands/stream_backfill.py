"""`manage.py stream_backfill [app.Model …]`: bring the feeds in line with whole tables."""

from __future__ import annotations

from django.core.management.base import CommandParser

from django_stream.management.commands._publishing import PublishingCommand, moment


class Command(PublishingCommand):
    help = (
        "Publish the rows of tracked models, and take out what is gone. Running it twice does no harm; "
        "killed, it goes on with --resume."
    )
    name = "stream_backfill"

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        for name, what in (("--since", "of this moment or later"), ("--until", "before this moment")):
            parser.add_argument(name, type=moment, metavar="TIME", help=f"only activities {what}")
        parser.add_argument(
            "--feed", metavar="SLUG", help="only rows that something goes to a feed of this group of"
        )
        parser.add_argument(
            "--no-fanout", action="store_true", help="leave the feeds of followers as they are"
        )
