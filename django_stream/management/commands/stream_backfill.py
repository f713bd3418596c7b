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
    example = "blog.Post --since 2026-01-31 --dry-run"

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        for name, what in (("--since", "of this moment or later"), ("--until", "before this moment")):
            parser.add_argument(
                name, type=moment, metavar="TIME", help=f"only activities {what}, such as 2026-01-31T12:00"
            )
        parser.add_argument(
            "--feed",
            metavar="SLUG",
            help="only rows of which something goes to a feed of this group, such as notification",
        )
        parser.add_argument(
            "--no-fanout", action="store_true", help="leave the feeds of followers as they are"
        )
